/** Questions that were taken out of the queue, until everybody who waits for them has been told. */
import { exact, type Statements, table } from "./ddl.ts"

export const untold: Statements = table("run_untold", { run_id: exact(32) }, { primary: ["run_id"] })
