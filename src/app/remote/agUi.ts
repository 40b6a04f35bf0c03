/**
 * A service that speaks AG-UI: a POST of the run's input, answered by events (https://docs.ag-ui.com). Every run
 * is a thread of its own with the whole conversation in it, so that an agent that keeps threads does not read it
 * twice.
 */
import { randomUUID } from "node:crypto"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { ModelMessage } from "../../model/LanguageModel.ts"
import type { RunFailed } from "../../protocol/errors.ts"
import { noUsage, type RunEvent } from "../../protocol/RunEvent.ts"
import type { Answering, Question } from "../App.ts"
import { readEvent } from "./agUiEvents.ts"
import { agUiFold } from "./agUiFold.ts"
import { eventStream } from "./eventStream.ts"
import type { Line } from "./Line.ts"
import { agentFor } from "./reach.ts"
import { inWords, remoteFailed, type Trouble } from "./words.ts"

export const askAgUi = (line: Line, question: Question): Answering =>
  Stream.suspend(() => {
    const fold = agUiFold(() => randomUUID().replaceAll("-", ""))
    const failed = (trouble: Trouble): RunFailed => inWords(trouble, line.seconds, line.redact)
    const post = {
      url: line.url,
      headers: { accept: "text/event-stream", ...line.headers },
      body: JSON.stringify(inputOf(line, question)),
      agent: agentFor(line.url, line.hosts)
    }
    let finished = false

    /** Of one event: what it comes to, and why it is the last one. */
    const read = (data: string): Read => {
      const event = readEvent(data)
      if (Either.isLeft(event)) return { events: [], last: failed({ _tag: "Malformed", what: event.left }) }
      if (event.right === null) return { events: [], last: null }
      const { end, events } = fold.accept(event.right)
      if (end === null) return { events, last: null }
      if (end._tag === "Finished") {
        finished = true
        return { events, last: "finished" }
      }
      const trouble: Trouble =
        end._tag === "AgentError"
          ? { _tag: "Upstream", error: end.message }
          : { _tag: "Malformed", what: end.what }
      return { events, last: failed(trouble) }
    }

    const readAll = (batch: ReadonlyArray<string>): Read => {
      const events: Array<RunEvent> = []
      for (const data of batch) {
        const one = read(data)
        events.push(...one.events)
        if (one.last !== null) return { events, last: one.last }
      }
      return { events, last: null }
    }

    const answered: Answering = Stream.suspend(() => {
      if (!finished) return Stream.fail(failed({ _tag: "Cut" }))
      const text = fold.text()
      return text === ""
        ? Stream.fail(remoteFailed("The remote service gave no answer."))
        : Stream.succeed<RunEvent>({ _tag: "Answered", text, source: 0, passages: [], usage: noUsage })
    })

    return eventStream(post, line.seconds).pipe(
      Stream.mapError(failed),
      Stream.map(readAll),
      // After its last word an agent may keep the line open: it is closed from here.
      Stream.takeUntil(({ last }) => last !== null),
      // Whatever came before a failure is told before it.
      Stream.flatMap(({ events, last }) =>
        last === null || last === "finished"
          ? Stream.fromIterable(events)
          : Stream.concat(Stream.fromIterable(events), Stream.fail(last))
      ),
      Stream.concat(answered)
    )
  })

interface Read {
  readonly events: ReadonlyArray<RunEvent>
  /** null: there may be more. */
  readonly last: RunFailed | "finished" | null
}

const inputOf = ({ settings }: Line, { history, text }: Question) => {
  const instruction = settings.system ?? ""
  return {
    threadId: randomUUID(),
    runId: randomUUID(),
    state: {},
    messages: [
      ...(instruction.trim() === "" ? [] : [{ id: randomUUID(), role: "system", content: instruction }]),
      ...history.map(messageOf),
      { id: randomUUID(), role: "user", content: text }
    ],
    tools: [],
    context: [],
    forwardedProps: settings.model ? { model: settings.model } : {}
  }
}

const messageOf = (message: ModelMessage) => {
  const id = randomUUID()
  switch (message.role) {
    case "system":
    case "user":
      return { id, role: message.role, content: message.content }
    case "tool":
      return { id, role: message.role, content: message.content, toolCallId: message.toolCallId }
    case "assistant":
      return {
        id,
        role: message.role,
        content: message.content,
        ...(message.toolCalls.length === 0
          ? {}
          : {
              toolCalls: message.toolCalls.map((call) => ({
                id: call.id,
                type: "function",
                function: { name: call.name, arguments: call.arguments }
              }))
            })
      }
  }
}
