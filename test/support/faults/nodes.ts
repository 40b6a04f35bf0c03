/** Several processes of the real program that serve the same sessions, each of which a test may do anything to. */
import { readFileSync } from "node:fs"
import { get } from "node:http"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { freshFolder } from "../database.ts"
import { type Daemon, daemon } from "./daemon.ts"
import { stablePort } from "./ports.ts"
import type { Target } from "./proxy.ts"

export interface ServerNode extends Target {
  /** Its NODE_ID. */
  readonly id: string
  readonly url: string
  readonly pid: () => number | null
  readonly output: () => string
  /** Lives that ended without a signal from here. */
  readonly crashes: () => ReadonlyArray<string>
  readonly sigkill: Effect.Effect<void>
  readonly sigstop: Effect.Effect<void>
  readonly sigcont: Effect.Effect<void>
  /** Done when it has ended by itself; answers its exit code, or the signal that ended it. */
  readonly sigterm: Effect.Effect<number | string>
  /** Starts it where it is down, with the same NODE_ID, PORT and DATA_DIR; done when it is ready. */
  readonly start: Effect.Effect<void, Error>
  /** SIGKILL, and a new life. */
  readonly restart: Effect.Effect<void, Error>
  /** Bytes of memory at most, over all lives as far as they were looked at. */
  readonly peakMemory: () => number
}

export interface NodesOptions {
  readonly count: number
  readonly databaseUrl: string
  readonly redisUrl: string
  /** Of the model server. */
  readonly upstreamUrl: string
  readonly env?: Readonly<Record<string, string>>
  /** Another build of the program than `dist/main.js`. */
  readonly main?: string
}

const builtMain = fileURLToPath(new URL("../../../dist/main.js", import.meta.url))

export const nodeId = (index: number): string => `node-${index + 1}`

/** All are ready. Ended with the scope, also those that are stopped at that moment. */
export const serverNodes = (
  options: NodesOptions
): Effect.Effect<ReadonlyArray<ServerNode>, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const secret = crypto.randomUUID()
    const nodes: Array<ServerNode> = []
    // One after the other: the first makes the tables.
    for (let i = 0; i < options.count; i++) nodes.push(yield* serverNode(nodeId(i), secret, options))
    return nodes
  })

const serverNode = (
  id: string,
  secret: string,
  { databaseUrl, redisUrl, upstreamUrl, env, main = builtMain }: NodesOptions
): Effect.Effect<ServerNode, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* freshFolder
    const port = yield* stablePort
    const url = `http://127.0.0.1:${port}`
    const process_ = yield* daemon({
      name: id,
      program: process.execPath,
      args: [main],
      env: {
        HOST: "127.0.0.1",
        PORT: String(port),
        NODE_ID: id,
        DATA_DIR: folder,
        AUTH_SECRET: secret,
        DATABASE_URL: databaseUrl,
        REDIS_URL: redisUrl,
        OPENAI_BASE_URL: upstreamUrl,
        OPENAI_API_KEY: "test",
        LOG_LEVEL: "warning",
        ...env
      },
      ready: answersOk(`${url}/health/ready`)
    })
    const { pid, output, crashes, start, kill, pause, resume, terminate } = process_
    return {
      id,
      host: "127.0.0.1",
      port,
      url,
      pid,
      output,
      crashes,
      sigkill: kill,
      sigstop: pause,
      sigcont: resume,
      sigterm: terminate,
      start,
      restart: Effect.zipRight(kill, start),
      peakMemory: peakMemoryOf(process_)
    }
  })

const answersOk = (url: string): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const request = get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume()
      const { statusCode } = response
      resume(statusCode === 200 ? Effect.void : Effect.fail(new Error(`HTTP ${statusCode}`)))
    })
    request.on("timeout", () => request.destroy(new Error("no answer")))
    request.on("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => request.destroy())
  })

/** Asked again and again it knows the peak of each life up to its last question. */
const peakMemoryOf = ({ pid }: Daemon): (() => number) => {
  let peak = 0
  return () => {
    const id = pid()
    if (id !== null) peak = Math.max(peak, highWaterMark(id))
    return peak
  }
}

const highWaterMark = (pid: number): number => {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return Number(found?.[1] ?? 0) * 1024
  } catch {
    // It ended at this moment, or there is no such file on this system.
    return 0
  }
}
