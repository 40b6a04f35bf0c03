/** Runs as a queue: what a waiting question needs, its place, and ways to find what is unfinished. */
import { addColumns, integer, longText, type Statements } from "./ddl.ts"

export const queue: Statements = addColumns(
  "run",
  { payload: { type: longText, before: "" }, queue_rank: { type: integer, before: "0" } },
  [
    ["chat_id", "status"],
    ["status", "owner"]
  ]
)
