/** A prompt, filled and answered by a model. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineNode, needed, wired } from "../NodeType.ts"
import type { MemoryPart, PromptPart } from "../Part.ts"
import { answerPrompt } from "../promptChain.ts"

export const llmChain = defineNode({
  types: ["LLMChain"],
  fields: Schema.Struct({}),
  build: (_fields, node, bench) =>
    Effect.gen(function* () {
      const model = yield* needed(node, "llm", "Model")
      const prompt = yield* needed(node, "prompt", "Prompt")
      const memory = yield* wired(node, "memory", "Memory")
      const inputKey = questionVariable(prompt, memory)
      return {
        _tag: "Chain",
        inputKey,
        answer: (question) => answerPrompt(question, { bench, model, prompt, memory, variable: inputKey })
      }
    })
})

const usualNames = ["input", "question", "query", "text"]

/**
 * The variable that carries the question: the prompt's only free one. Of several, the one that the memory
 * names, then one with a usual name, then the first without a value in the graph, then the first.
 */
const questionVariable = (prompt: PromptPart, memory: MemoryPart | null): string => {
  const free = prompt.prompt.variables.filter((name) => name !== memory?.key)
  const empty = free.filter((name) => !prompt.defaults.get(name))
  return (
    free.find((name) => name === memory?.inputKey) ??
    usualNames.find((name) => free.includes(name)) ??
    empty[0] ??
    free[0] ??
    "input"
  )
}
