/**
 * The assistant's loop: the model answers, or asks for tools, reads what they brought and goes on.
 *
 * The stream yields, per turn that asks for tools, one ToolStarted for each call in the model's order, then
 * one ToolEnded for each in the same order, and at last Answered. Nothing is buffered between turns, so text
 * that goes to the sink directly keeps its place among the events.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { LanguageModelService, ModelMessage, ToolCall } from "../../model/LanguageModel.ts"
import { RunFailed } from "../../protocol/errors.ts"
import { these, unwrapped } from "../../protocol/eventStream.ts"
import {
  type Deltas,
  noUsage,
  type Passage,
  type RunEvent,
  type ToolStarted,
  type Usage
} from "../../protocol/RunEvent.ts"
import { ask } from "../ask.ts"
import type { Tool } from "../Tool.ts"
import { type CallOutcome, type CallScope, callTool } from "./callTool.ts"

/** How many times the model may speak in one run. */
export const maxTurns = 10

/** How many tools it may ask for at once. */
export const maxCallsPerTurn = 16

const concurrentCalls = 4

export interface Conversation {
  readonly model: LanguageModelService
  /** null: the configured default. */
  readonly modelName: string | null
  readonly temperature: number | null
  readonly tools: ReadonlyMap<string, Tool>
  readonly scope: CallScope
  /** Instruction, history and question. */
  readonly messages: ReadonlyArray<ModelMessage>
}

/** What the turns so far came to. */
interface Progress {
  readonly turn: number
  readonly messages: ReadonlyArray<ModelMessage>
  readonly passages: ReadonlyArray<Passage>
  readonly usage: Usage
}

type Run = Stream.Stream<RunEvent, RunFailed, Deltas>

export const converse = (conversation: Conversation): Run =>
  takeTurn(conversation, { turn: 1, messages: conversation.messages, passages: [], usage: noUsage })

const takeTurn: (conversation: Conversation, progress: Progress) => Run = Effect.fnUntraced(function* (
  conversation,
  progress
) {
  const completion = yield* ask(conversation.model, "assistant", {
    model: conversation.modelName,
    temperature: conversation.temperature,
    messages: progress.messages,
    tools: [...conversation.tools.values()].map((tool) => tool.spec),
    scope: conversation.scope
  })
  const usage = sum(progress.usage, completion.usage)
  const calls = completion.toolCalls
  if (calls.length === 0) return these([answered(completion.text, { ...progress, usage })])
  if (progress.turn === maxTurns) {
    return yield* failed(`the assistant found no answer in ${maxTurns} turns; ask for less at once`)
  }
  if (calls.length > maxCallsPerTurn) {
    return yield* failed(`the model asked for ${calls.length} tools at once (limit ${maxCallsPerTurn})`)
  }
  return callTools(conversation, calls, {
    ...progress,
    usage,
    messages: [...progress.messages, { role: "assistant", content: completion.text, toolCalls: calls }]
  })
}, unwrapped)

const callTools = (conversation: Conversation, calls: ReadonlyArray<ToolCall>, progress: Progress): Run =>
  Stream.suspend(() => {
    const started = calls.map((call) => toolStarted(call, conversation.tools, progress.turn))
    // Filled in the calls' order as their ends pass by; complete when the next turn begins.
    const outcomes: Array<CallOutcome> = []
    const ended = Stream.fromIterable(started).pipe(
      Stream.mapEffect(
        (event) =>
          Effect.map(
            callTool(
              { id: event.callId, name: event.name, arguments: event.input },
              conversation.tools,
              conversation.scope
            ),
            (outcome) => ({ event, outcome })
          ),
        { concurrency: concurrentCalls }
      ),
      Stream.map(({ event, outcome }): RunEvent => {
        outcomes.push(outcome)
        return { _tag: "ToolEnded", id: event.id, output: outcome.output, failed: outcome.failed }
      })
    )
    const next = Stream.suspend(() => takeTurn(conversation, withOutcomes(progress, calls, outcomes)))
    return Stream.concat(Stream.fromIterable<RunEvent>(started), Stream.concat(ended, next))
  })

const withOutcomes = (
  progress: Progress,
  calls: ReadonlyArray<ToolCall>,
  outcomes: ReadonlyArray<CallOutcome>
): Progress => ({
  ...progress,
  turn: progress.turn + 1,
  passages: merge(
    progress.passages,
    outcomes.flatMap((outcome) => outcome.passages)
  ),
  messages: [
    ...progress.messages,
    ...calls.map(
      (call, index): ModelMessage => ({
        role: "tool",
        content: outcomes[index]?.output ?? "",
        toolCallId: call.id
      })
    )
  ]
})

const toolStarted = (call: ToolCall, tools: ReadonlyMap<string, Tool>, turn: number): ToolStarted => ({
  _tag: "ToolStarted",
  id: crypto.randomUUID().replaceAll("-", ""),
  category: tools.get(call.name)?.category ?? "tool",
  name: call.name,
  input: call.arguments,
  callId: call.id,
  turn
})

const answered = (text: string, { passages, usage }: Progress): RunEvent => ({
  _tag: "Answered",
  text,
  source: passages.length > 0 ? sourceFile : 0,
  passages,
  usage
})

/** `Frame.source`: the answer rests on passages from files. */
const sourceFile = 1

const failed = (reason: string) => new RunFailed({ reason, kind: "assistant" })

const sum = (a: Usage, b: Usage): Usage => ({
  promptTokens: a.promptTokens + b.promptTokens,
  completionTokens: a.completionTokens + b.completionTokens
})

/** A passage that several searches found counts once. */
const merge = (known: ReadonlyArray<Passage>, found: ReadonlyArray<Passage>): ReadonlyArray<Passage> => {
  const byPlace = new Map(known.map((passage) => [place(passage), passage]))
  for (const passage of found) if (!byPlace.has(place(passage))) byPlace.set(place(passage), passage)
  return [...byPlace.values()]
}

const place = ({ fileId, page, text }: Passage): string => JSON.stringify([fileId, page, text])
