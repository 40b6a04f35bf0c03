/** How an answer is made from passages, or a summary from documents. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { combine, wayNames } from "../combine/combine.ts"
import { firstText, LooseNumber, LooseText, numberOr } from "../fields.ts"
import { fault, type GraphFault, named } from "../Graph.ts"
import { defineNode, needed, Optional, type WiredNode, type Workbench, wired } from "../NodeType.ts"
import type { CombinePart, PromptPart } from "../Part.ts"

const fields = Schema.Struct({
  chain_type: Optional(LooseText),
  /** -1: no limit. */
  token_max: Optional(LooseNumber)
})

export const combineDocsChain = defineNode({
  types: ["CombineDocsChain"],
  fields,
  build: (given, node, bench) =>
    Effect.flatMap(wired(node, "prompt", "Prompt"), (prompt) => combined(given, node, bench, prompt, false))
})

export const summarizeDocsChain = defineNode({
  types: ["SummarizeDocsChain"],
  fields,
  build: (given, node, bench) =>
    Effect.flatMap(wired(node, "prompt", "Prompt"), (prompt) => combined(given, node, bench, prompt, true))
})

/** Also of the chains that bring the model and the way themselves. */
export const combined = (
  given: typeof fields.Type,
  node: WiredNode,
  bench: Workbench,
  prompt: PromptPart | null,
  summing: boolean
): Effect.Effect<CombinePart, GraphFault> =>
  Effect.gen(function* () {
    const tokenMax = numberOr(given.token_max, -1)
    const way = firstText(given.chain_type)
    const part = combine(way, {
      bench,
      model: yield* needed(node, "llm", "Model"),
      prompt,
      documentPrompt: yield* wired(node, "document_prompt", "Prompt"),
      tokenMax: tokenMax > 0 ? tokenMax : null,
      summing
    })
    if (part !== null) return part
    return yield* fault(`node ${named(node)}: chain_type "${way}" is none of ${wayNames.join(", ")}`, node)
  })
