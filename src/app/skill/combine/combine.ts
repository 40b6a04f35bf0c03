/** The ways of answering from passages, by the names that graphs say. A new one is one file and one entry here. */
import type { CombinePart } from "../Part.ts"
import type { Combining } from "./Combining.ts"
import { mapReduce } from "./mapReduce.ts"
import { mapRerank } from "./mapRerank.ts"
import { refine } from "./refine.ts"
import { stuff } from "./stuff.ts"

const ways: ReadonlyMap<string, (combining: Combining) => CombinePart["answer"]> = new Map([
  ["stuff", stuff],
  ["map_reduce", mapReduce],
  ["refine", refine],
  ["map_rerank", mapRerank]
])

export const wayNames: ReadonlyArray<string> = [...ways.keys()]

/** Without passages there is nothing to read one by one: the prompt alone says what then. */
export const combine = (way: string, combining: Combining): CombinePart | null => {
  const make = ways.get(way === "" ? "stuff" : way)
  if (make === undefined) return null
  const withPassages = make(combining)
  const without = stuff(combining)
  return {
    _tag: "Combine",
    answer: (question, passages) =>
      passages.length === 0 ? without(question, passages) : withPassages(question, passages)
  }
}
