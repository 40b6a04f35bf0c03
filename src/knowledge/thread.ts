/**
 * A thread of the program beside the process that starts it. Threads do not inherit what lets the process run
 * TypeScript, so from the sources a loader comes first; the built server needs nothing of it.
 */
import { basename } from "node:path"
import { Worker, type WorkerOptions } from "node:worker_threads"
import { isBuilt, packageRoot } from "../packageRoot.ts"

/**
 * `program`: its file below `src/`, without `.ts`; `scripts/build.mjs` names it too. Nothing of the server's
 * environment or output is the thread's.
 */
export const startThread = (
  program: string,
  options: Pick<WorkerOptions, "workerData" | "resourceLimits">
): Worker => {
  const apart = { ...options, execArgv: [], env: {}, stdout: true, stderr: true }
  const worker = isBuilt
    ? new Worker(new URL(`dist/${basename(program)}.js`, packageRoot), apart)
    : new Worker(fromSources(new URL(`src/${program}.ts`, packageRoot)), { ...apart, eval: true })
  // Parsers grumble at broken files; nobody wants to read it.
  worker.stdout.resume()
  worker.stderr.resume()
  return worker
}

const fromSources = (program: URL): string =>
  `import(${JSON.stringify(new URL("./threadFromSources.mjs", import.meta.url))}).then(() => import(${JSON.stringify(program)}))`
