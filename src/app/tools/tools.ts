/** The tools an assistant can be given, by name. A new tool is one file beside this one and one entry here. */
import * as Effect from "effect/Effect"
import type { Library } from "../../model/Library.ts"
import type { Tool } from "../Tool.ts"
import { calculator } from "./calculator.ts"
import { currentTime } from "./currentTime.ts"
import { searchDocuments } from "./searchDocuments.ts"

const table: ReadonlyArray<Effect.Effect<Tool, never, Library>> = [calculator, currentTime, searchDocuments]

export type Tools = ReadonlyMap<string, Tool>

export const makeTools: Effect.Effect<Tools, never, Library> = Effect.map(
  Effect.all(table),
  (tools) => new Map(tools.map((tool) => [tool.spec.name, tool]))
)
