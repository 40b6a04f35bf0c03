/**
 * A conversation: the model sees what was said before. With the usual prompt (an introduction, the history,
 * the question) the introduction becomes the instruction and the rounds go as chat messages, which models
 * follow better than a transcript; a prompt of another shape is filled as it stands.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { makeChain } from "../chain.ts"
import type { GraphFault } from "../Graph.ts"
import { fault, named } from "../Graph.ts"
import { lastRounds } from "../history.ts"
import { defineNode, needed, Optional, type WiredNode, wired } from "../NodeType.ts"
import type { PromptPart } from "../Part.ts"
import { parsePrompt } from "../prompt.ts"
import { answerMessages, answerPrompt } from "../promptChain.ts"
import { plainMemory } from "./conversationBufferMemory.ts"
import { keysOf } from "./llmChain.ts"

/** What the editor puts into a new node. */
export const usualPrompt =
  "The following is a friendly conversation between a human and an AI. The AI is talkative and provides lots " +
  "of specific details from its context. If the AI does not know the answer to a question, it truthfully says " +
  "it does not know.\n\nCurrent conversation:\n{history}\nHuman: {input}\nAI:"

export const conversationChain = defineNode({
  types: ["ConversationChain"],
  fields: Schema.Struct({
    input_key: Optional(Schema.String),
    output_key: Optional(Schema.String),
    /** The prompt of a chain that has none connected. */
    prompt: Optional(Schema.Union(Schema.Literal(""), Schema.Struct({ template: Schema.String })))
  }),
  build: (fields, node, bench) =>
    Effect.gen(function* () {
      const model = yield* needed(node, "llm", "Model")
      const memory = (yield* wired(node, "memory", "Memory")) ?? plainMemory
      const prompt =
        (yield* wired(node, "prompt", "Prompt")) ??
        (yield* ownPrompt(node, fields.prompt ? fields.prompt.template : usualPrompt))
      const inputKey = fields.input_key || "input"
      const variable = questionVariable(prompt, memory.key, inputKey)
      const introduction = introductionOf(prompt, memory.key, variable)
      return yield* makeChain(node, {
        inputKey,
        outputKey: fields.output_key || "response",
        keys: keysOf(prompt, memory),
        answer: (question) =>
          introduction === null
            ? answerPrompt(question, { bench, model, prompt, memory, variable })
            : answerMessages(
                question,
                [
                  { role: "system", content: introduction },
                  ...lastRounds(question.history, memory.rounds),
                  { role: "user", content: question.text }
                ],
                model,
                bench
              )
      })
    })
})

const ownPrompt = (node: WiredNode, template: string): Effect.Effect<PromptPart, GraphFault> =>
  Either.match(parsePrompt(template), {
    onLeft: (wrong) => Effect.fail(fault(`node ${named(node)}: its prompt ${wrong}`, node)),
    onRight: (prompt) => Effect.succeed({ _tag: "Prompt", prompt, defaults: new Map(), supplied: new Map() })
  })

/** The prompt's variable for the question: of the key's name, or whatever the only free one is called. */
const questionVariable = ({ prompt, supplied }: PromptPart, memoryKey: string, inputKey: string): string => {
  const free = prompt.variables.filter((name) => name !== memoryKey && !supplied.has(name))
  const [only] = free
  return only !== undefined && free.length === 1 ? only : inputKey
}

const beforeHistory = "\n\nCurrent conversation:\n"

/** The text before the history, where the prompt has the usual shape; else null. */
const introductionOf = ({ prompt }: PromptPart, memoryKey: string, variable: string): string | null => {
  const [head, history, human, input, end, ...more] = prompt.pieces
  const usual =
    head?._tag === "Text" &&
    head.text.endsWith(beforeHistory) &&
    history?._tag === "Variable" &&
    history.name === memoryKey &&
    human?._tag === "Text" &&
    human.text === "\nHuman: " &&
    input?._tag === "Variable" &&
    input.name === variable &&
    end?._tag === "Text" &&
    end.text.trim() === "AI:" &&
    more.length === 0
  return usual ? head.text.slice(0, -beforeHistory.length) : null
}
