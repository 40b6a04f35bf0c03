/**
 * Files that belong to a chat, files that the server made, report templates; where on a page or in the web a
 * passage stands.
 */
import {
  addColumns,
  exact,
  integer,
  longText,
  nullable,
  type Statements,
  serial,
  table,
  text,
  time
} from "./ddl.ts"

const fileOwners = addColumns(
  "file",
  {
    chat_id: { type: exact(64), before: "" },
    /** The files that were there were all given to be answered from. */
    purpose: { type: exact(16), before: "document" }
  },
  [["chat_id"], ["user_id"]]
)

const passagePlaces = addColumns(
  "recall_chunk",
  { boxes: { type: nullable(longText) }, url: { type: nullable(longText) } },
  []
)

const templates = table(
  "report_template",
  {
    id: serial,
    flow_id: exact(32),
    version: integer,
    file_id: exact(32),
    file_name: text(1024),
    user_id: integer,
    create_time: time
  },
  { unique: [["flow_id", "version"]] }
)

export const files: Statements = (dialect) =>
  [fileOwners, passagePlaces, templates].flatMap((statements) => statements(dialect))
