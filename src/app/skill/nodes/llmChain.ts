/** A prompt, filled and answered by a model. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { makeChain } from "../chain.ts"
import { defineNode, needed, Optional, wired } from "../NodeType.ts"
import type { ChainPart, MemoryPart, PromptPart } from "../Part.ts"
import { answerPrompt } from "../promptChain.ts"

export const llmChain = defineNode({
  types: ["LLMChain"],
  fields: Schema.Struct({ output_key: Optional(Schema.String) }),
  build: (fields, node, bench) =>
    Effect.gen(function* () {
      const model = yield* needed(node, "llm", "Model")
      const prompt = yield* needed(node, "prompt", "Prompt")
      const memory = yield* wired(node, "memory", "Memory")
      const inputKey = questionVariable(prompt, memory)
      return yield* makeChain(node, {
        inputKey,
        outputKey: fields.output_key || "text",
        takesQuestion: prompt.prompt.variables.includes(inputKey),
        keys: keysOf(prompt, memory),
        answer: (question) => answerPrompt(question, { bench, model, prompt, memory, variable: inputKey })
      })
    })
})

/** Which of a prompt's variables the memory fills, and which connected nodes. */
export const keysOf = (
  { prompt, supplied }: PromptPart,
  memory: MemoryPart | null
): NonNullable<ChainPart["keys"]> => ({
  memory: memory === null ? [] : [memory.key],
  handles: prompt.variables.filter((name) => supplied.has(name))
})

const usualNames = ["input", "question", "query", "text"]

/**
 * The variable that carries the question: the prompt's only free one. Of several, the one that the memory
 * names, then one with a usual name, then the first without a value in the graph, then the first.
 */
export const questionVariable = (prompt: PromptPart, memory: MemoryPart | null): string => {
  const free = prompt.prompt.variables.filter((name) => name !== memory?.key && !prompt.supplied.has(name))
  const empty = free.filter((name) => !prompt.defaults.get(name))
  return (
    free.find((name) => name === memory?.inputKey) ??
    usualNames.find((name) => free.includes(name)) ??
    empty[0] ??
    free[0] ??
    "input"
  )
}
