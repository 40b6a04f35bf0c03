/**
 * A service that speaks OpenAI's `/chat/completions`. What is said before goes with the question. Tools are the
 * service's own business: calls that it reports are shown as steps.
 */
import * as Effect from "effect/Effect"
import type { ModelMessage } from "../../model/LanguageModel.ts"
import type { Answer } from "../../model/OpenAi/Answer.ts"
import { exchange } from "../../model/OpenAi/exchange.ts"
import { these, unwrapped } from "../../protocol/eventStream.ts"
import { Deltas, type RunEvent } from "../../protocol/RunEvent.ts"
import type { Answering, Question } from "../App.ts"
import type { Line } from "./Line.ts"
import { agentFor } from "./reach.ts"
import { inWords, remoteFailed } from "./words.ts"

const path = "/chat/completions"

const endpointOf = (base: URL): URL => {
  const url = new URL(base)
  const root = base.pathname.replace(/\/+$/, "")
  url.pathname = root.endsWith(path) ? root : root + path
  url.hash = ""
  return url
}

export const askOpenAi = (line: Line, question: Question): Answering =>
  unwrapped(
    Effect.gen(function* () {
      const sink = yield* Deltas
      const { settings } = line
      const answer = yield* exchange({
        url: endpointOf(line.url),
        headers: { accept: "text/event-stream, application/json", ...line.headers },
        body: JSON.stringify({
          model: settings.model,
          messages: messagesOf(settings.system ?? "", question),
          stream: true,
          ...(typeof settings.temperature === "number" ? { temperature: settings.temperature } : {})
        }),
        agent: agentFor(line.url, line.hosts),
        sink,
        firstByteMillis: line.seconds * 1_000,
        chunkMillis: line.seconds * 1_000
      }).pipe(
        Effect.mapError((failure) =>
          inWords(
            failure._tag === "Malformed" ? { _tag: "Malformed", what: ofThisApp(failure.what) } : failure,
            line.seconds,
            line.redact
          )
        )
      )
      if (answer.text === "") return yield* remoteFailed(withoutText(answer))
      return these(told(answer))
    })
  )

/** The model client speaks of its own setting. */
const ofThisApp = (what: string): string =>
  what.startsWith("a web page")
    ? "a web page instead of an answer. Check the app's url: it often ends in /v1"
    : what

const withoutText = ({ toolCalls }: Answer): string => {
  const names = toolCalls.map(({ name }) => `"${name.slice(0, 60)}"`).join(", ")
  return names === ""
    ? "The remote service gave no answer."
    : `The remote service asks for the tools ${names} to be called for it, which this server cannot do.`
}

const maxShown = 2_000

const told = ({ text, toolCalls, usage }: Answer): ReadonlyArray<RunEvent> => [
  ...toolCalls.map(
    (call): RunEvent => ({ _tag: "Step", text: `${call.name}(${call.arguments})`.slice(0, maxShown) })
  ),
  { _tag: "Answered", text, source: 0, passages: [], usage }
]

/** Tool calls of earlier rounds are left out: many services refuse those of tools that they are not offered. */
const messagesOf = (instruction: string, { history, text }: Question) => [
  ...(instruction.trim() === "" ? [] : [{ role: "system", content: instruction }]),
  ...history.flatMap(spoken),
  { role: "user", content: text }
]

const spoken = (message: ModelMessage): ReadonlyArray<{ readonly role: string; readonly content: string }> =>
  (message.role === "user" || message.role === "assistant") && message.content !== ""
    ? [{ role: message.role, content: message.content }]
    : []
