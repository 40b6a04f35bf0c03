/** What all chains share: the preset questions of the input node connected to them, and plain answers. */
import * as Effect from "effect/Effect"
import { RunFailed } from "../../protocol/errors.ts"
import type { Answered, Passage, Usage } from "../../protocol/RunEvent.ts"
import type { GraphFault } from "./Graph.ts"
import { type WiredNode, wired } from "./NodeType.ts"
import type { ChainPart } from "./Part.ts"

export const makeChain = (
  node: WiredNode,
  chain: Omit<ChainPart, "_tag" | "nodeId" | "preset" | "takesQuestion"> & {
    readonly takesQuestion?: boolean
  }
): Effect.Effect<ChainPart, GraphFault> =>
  Effect.map(wired(node, "input_node", "Input"), (input) => ({
    _tag: "Chain",
    takesQuestion: true,
    ...chain,
    nodeId: node.id,
    preset: input?.questions ?? []
  }))

export const answered = (text: string, usage: Usage, passages: ReadonlyArray<Passage> = []): Answered => ({
  _tag: "Answered",
  text,
  source: sourceOf(passages),
  passages,
  usage
})

/** `Frame.source`, before it is judged who may see it: 1 files, 3 links alone, 0 nothing. */
const sourceOf = (passages: ReadonlyArray<Passage>): number => {
  if (passages.some(({ fileId }) => fileId !== "")) return 1
  return passages.some(({ url }) => url !== undefined) ? 3 : 0
}

export const sum = (...usages: ReadonlyArray<Usage>): Usage => ({
  promptTokens: usages.reduce((total, one) => total + one.promptTokens, 0),
  completionTokens: usages.reduce((total, one) => total + one.completionTokens, 0)
})

/** Each once, in the order they were found. */
export const distinct = (passages: ReadonlyArray<Passage>): ReadonlyArray<Passage> => {
  const byPlace = new Map<string, Passage>()
  for (const passage of passages) {
    const place = JSON.stringify([passage.fileId, passage.url, passage.page, passage.text])
    if (!byPlace.has(place)) byPlace.set(place, passage)
  }
  return [...byPlace.values()]
}

export const skillFailed = (reason: string): RunFailed => new RunFailed({ reason, kind: "skill" })

/** A document that is missing, or that cannot be read: whatever is asked, it comes to the same. */
export const unreadable = (reason: string): RunFailed =>
  new RunFailed({ reason, kind: "skill", about: "document" })
