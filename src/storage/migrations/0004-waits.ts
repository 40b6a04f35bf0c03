/** Runs that wait for a person: what is needed to go on, for as long as nothing runs. */
import { exact, longText, type Statements, table, time } from "./ddl.ts"

export const waits: Statements = table(
  "run_wait",
  {
    run_id: exact(32),
    chat_id: exact(64),
    state: longText,
    wait_until: time
  },
  { primary: ["run_id"], index: [["chat_id"], ["wait_until"]] }
)
