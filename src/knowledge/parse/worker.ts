/** The thread in which one file is parsed. It answers once and ends. */
import { readFile } from "node:fs/promises"
import { parentPort, workerData } from "node:worker_threads"
import { type Parsed, type ParseJob, Unreadable } from "./Parsed.ts"
import { parse } from "./parse.ts"

export type ParseOutcome =
  | { readonly _tag: "Parsed"; readonly parsed: Parsed }
  | { readonly _tag: "Unreadable"; readonly reason: string }
  | { readonly _tag: "Failed"; readonly message: string }

const job: ParseJob = workerData

const outcome = await readFile(job.path)
  .then((bytes) => parse(bytes, job))
  .then(
    (parsed): ParseOutcome => ({ _tag: "Parsed", parsed }),
    (error): ParseOutcome =>
      error instanceof Unreadable
        ? { _tag: "Unreadable", reason: error.message }
        : { _tag: "Failed", message: error instanceof Error ? error.message : String(error) }
  )
parentPort?.postMessage(outcome)
