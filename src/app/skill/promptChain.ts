/** What the chains share: from a filled prompt to the model's answer. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { ModelMessage } from "../../model/LanguageModel.ts"
import { RunFailed } from "../../protocol/errors.ts"
import type { Deltas, RunEvent } from "../../protocol/RunEvent.ts"
import type { Question } from "../App.ts"
import { ask } from "../ask.ts"
import { asText } from "./asText.ts"
import type { Workbench } from "./NodeType.ts"
import type { MemoryPart, ModelPart, PromptPart } from "./Part.ts"
import { fillPrompt } from "./prompt.ts"

type Run = Stream.Stream<RunEvent, RunFailed, Deltas>

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
): Run =>
  Either.match(
    fillPrompt(chain.prompt.prompt, (name) => {
      if (name === chain.variable) return question.text
      if (name === chain.memory?.key) return transcript(question.history, chain.memory)
      return Object.hasOwn(question.inputs, name)
        ? asText(question.inputs[name])
        : chain.prompt.defaults.get(name)
    }),
    {
      onLeft: (name) =>
        Stream.fail(
          new RunFailed({ reason: `the question brings no "${name}", which the prompt needs`, kind: "skill" })
        ),
      onRight: (text) =>
        Stream.concat(
          Stream.succeed<RunEvent>({ _tag: "Step", text }),
          answerMessages(question, [{ role: "user", content: text }], chain.model, chain.bench)
        )
    }
  )

/** Lets the model answer these messages. */
export const answerMessages = (
  question: Question,
  messages: ReadonlyArray<ModelMessage>,
  model: ModelPart,
  bench: Workbench
): Run =>
  Stream.fromEffect(
    Effect.map(
      ask(bench.model, "skill", {
        model: model.name,
        temperature: model.temperature,
        messages,
        tools: [],
        scope: { flowId: bench.flowId, userId: question.userId }
      }),
      ({ text, usage }): RunEvent => ({ _tag: "Answered", text, source: 0, passages: [], usage })
    )
  )

/** What was said, by whom; tools and their output left out. */
const transcript = (history: ReadonlyArray<ModelMessage>, memory: MemoryPart): string =>
  history
    .flatMap((message) => {
      if (message.role === "user") return [`${memory.humanPrefix}: ${message.content}`]
      if (message.role === "assistant" && message.content !== "") {
        return [`${memory.aiPrefix}: ${message.content}`]
      }
      return []
    })
    .join("\n")
