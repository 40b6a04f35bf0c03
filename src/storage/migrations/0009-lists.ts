/**
 * Each way to list a user's sessions has an index with exactly its rows, in its order. InnoDB ends every index with
 * the primary key; SQLite's knew of sessions of the same moment only in which order they were made.
 */
import { addIndexes, type Statements } from "./ddl.ts"

const inOrder = ["update_time", "chat_id"]

const narrowed = addIndexes("message_session", [
  ["user_id", "is_delete", "flow_type", ...inOrder],
  ["user_id", "is_delete", "flow_id", ...inOrder]
])

const all = addIndexes("message_session", [["user_id", "is_delete", ...inOrder]])

export const lists: Statements = (dialect) =>
  dialect === "sqlite"
    ? [
        ...all(dialect),
        "DROP INDEX IF EXISTS `message_session_user_id_is_delete_update_time`",
        ...narrowed(dialect)
      ]
    : narrowed(dialect)
