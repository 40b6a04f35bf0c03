/** What the chains share: from a filled prompt to the model's answer. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { Completion, ModelMessage, ModelRequest } from "../../model/LanguageModel.ts"
import type { RunFailed } from "../../protocol/errors.ts"
import { unwrapped } from "../../protocol/eventStream.ts"
import type { Deltas, Passage, RunEvent, Usage } from "../../protocol/RunEvent.ts"
import type { Answering, Question } from "../App.ts"
import { ask, askQuietly } from "../ask.ts"
import { asText } from "./asText.ts"
import { answered, skillFailed, sum } from "./chain.ts"
import { lastRounds, transcript } from "./history.ts"
import type { Workbench } from "./NodeType.ts"
import type { MemoryPart, ModelPart, PromptPart } from "./Part.ts"
import { fillPrompt } from "./prompt.ts"

/** Fills the prompt, shows it as a step, and lets the model answer it. */
export const answerPrompt = (
  question: Question,
  chain: {
    readonly bench: Workbench
    readonly model: ModelPart
    readonly prompt: PromptPart
    readonly memory: MemoryPart | null
    /** The prompt's variable that the question goes into. */
    readonly variable: string
  }
): Answering =>
  unwrapped(
    Effect.map(
      filled(chain.prompt, question, (name) => {
        if (name === chain.variable) return question.text
        return chain.memory !== null && name === chain.memory.key
          ? transcript(lastRounds(question.history, chain.memory.rounds), chain.memory)
          : undefined
      }),
      (text) =>
        Stream.concat(
          Stream.succeed<RunEvent>({ _tag: "Step", text }),
          answerMessages(question, [{ role: "user", content: text }], chain.model, chain.bench)
        )
    )
  )

/**
 * The prompt with all its variables filled: by the chain itself (`own`), by connected nodes, by what the client
 * sent, by the values in the graph.
 */
export const filled = (
  { prompt, supplied, defaults }: PromptPart,
  question: Question,
  own: (name: string) => string | undefined
): Effect.Effect<string, RunFailed> =>
  Effect.gen(function* () {
    const values = new Map<string, string>()
    for (const name of prompt.variables) {
      const supply = own(name) === undefined ? supplied.get(name) : undefined
      if (supply !== undefined) values.set(name, yield* supply)
    }
    const text = fillPrompt(prompt, (name) => {
      const known = own(name) ?? values.get(name)
      if (known !== undefined) return known
      return Object.hasOwn(question.inputs, name) ? asText(question.inputs[name]) : defaults.get(name)
    })
    return yield* Either.mapLeft(text, (name) =>
      skillFailed(`the question brings no "${name}", which the prompt needs`)
    )
  })

/** Lets the model answer these messages, for everyone to see. `before` is what earlier steps cost. */
export const answerMessages = (
  question: Question,
  messages: ReadonlyArray<ModelMessage>,
  model: ModelPart,
  bench: Workbench,
  passages: ReadonlyArray<Passage> = [],
  before: ReadonlyArray<Usage> = []
): Answering =>
  Stream.fromEffect(
    Effect.map(askModel(question, messages, model, bench), ({ text, usage }) =>
      answered(text, sum(...before, usage), passages)
    )
  )

export const askModel = (
  question: Question,
  messages: ReadonlyArray<ModelMessage>,
  model: ModelPart,
  bench: Workbench
): Effect.Effect<Completion, RunFailed, Deltas> =>
  ask(bench.model, "skill", requestOf(question, messages, model, bench))

/** A step on the way to the answer: nothing of it is shown. */
export const askModelQuietly = (
  question: Question,
  text: string,
  model: ModelPart,
  bench: Workbench
): Effect.Effect<Completion, RunFailed> =>
  askQuietly(bench.model, "skill", requestOf(question, [{ role: "user", content: text }], model, bench))

const requestOf = (
  question: Question,
  messages: ReadonlyArray<ModelMessage>,
  model: ModelPart,
  bench: Workbench
): ModelRequest => ({
  model: model.name,
  temperature: model.temperature,
  topP: model.topP,
  streaming: model.streaming,
  messages,
  tools: [],
  scope: { flowId: bench.flowId, userId: question.userId }
})
