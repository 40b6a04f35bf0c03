/**
 * A thread of the program beside the file that starts it. Threads do not inherit what lets the process run
 * TypeScript, so from the sources a loader comes first; the built server needs nothing of it.
 */
import { Worker, type WorkerOptions } from "node:worker_threads"

/** `from`: the starting file's `import.meta.url`. Nothing of the server's environment or output is the thread's. */
export const startThread = (
  from: string,
  name: string,
  options: Pick<WorkerOptions, "workerData" | "resourceLimits">
): Worker => {
  const apart = { ...options, execArgv: [], env: {}, stdout: true, stderr: true }
  const worker = from.endsWith(".ts")
    ? new Worker(fromSources(new URL(`./${name}.ts`, from)), { ...apart, eval: true })
    : new Worker(new URL(`./${name}.js`, from), apart)
  // Parsers grumble at broken files; nobody wants to read it.
  worker.stdout.resume()
  worker.stderr.resume()
  return worker
}

const fromSources = (program: URL): string =>
  `import(${JSON.stringify(new URL("./threadFromSources.mjs", import.meta.url))}).then(() => import(${JSON.stringify(program)}))`
