/**
 * Model servers for tests: real processes and sockets on 127.0.0.1, gone with the scope.
 *
 * - `pacedUpstream` streams words at a steady pace and counts what it sent and which sockets closed: it shows
 *   whether a stop reached the upstream. What it can be told is written in `paced-upstream.mjs`.
 * - `mockUpstream` is aimock, for the shapes and errors of the real service.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { LLMock, type MockServerOptions } from "@copilotkit/aimock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

const UpstreamStats = Schema.Struct({
  requests: Schema.Number,
  active: Schema.Number,
  completed: Schema.Number,
  chunks: Schema.Number,
  chunksAfterClose: Schema.Number,
  closedByClient: Schema.Number,
  lastClosedAt: Schema.Number,
  lastChunks: Schema.Number,
  connections: Schema.Number
})
export type UpstreamStats = typeof UpstreamStats.Type

export interface PacedUpstream {
  /** What OPENAI_BASE_URL takes. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly stats: Effect.Effect<UpstreamStats>
  readonly reset: Effect.Effect<void>
  /** Asks for the figures until they are as wanted. */
  readonly statsWhen: (wanted: (stats: UpstreamStats) => boolean) => Effect.Effect<UpstreamStats>
  /** SIGKILL, as a machine that falls over. */
  readonly kill: Effect.Effect<void>
}

const script = fileURLToPath(new URL("./paced-upstream.mjs", import.meta.url))

const echoScript = fileURLToPath(new URL("./echo-upstream.mjs", import.meta.url))

const Started = Schema.parseJson(Schema.Struct({ port: Schema.Number }))

/** `flags` are defaults for every request: `{ tokens: 200, delay: 10 }`. */
export const pacedUpstream = (flags: Readonly<Record<string, string | number>> = {}) =>
  Effect.gen(function* () {
    const words = Object.entries(flags).flatMap(([key, value]) => [`--${key}`, String(value)])
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [script, "--port", "0", "--attached", "1", ...words], {
          stdio: ["pipe", "pipe", "inherit"]
        })
      ),
      end
    )
    const line = yield* Effect.async<string, Error>((resume) => {
      createInterface({ input: child.stdout }).once("line", (first) => resume(Effect.succeed(first)))
      child.once("exit", (code) => resume(Effect.fail(new Error(`the paced upstream ended with ${code}`))))
    })
    const { port } = yield* Schema.decode(Started)(line)
    const origin = `http://127.0.0.1:${port}`
    const call = (path: string, method: "GET" | "POST") =>
      Effect.tryPromise(async (signal) => (await fetch(origin + path, { method, signal })).json())
    const stats = call("/stats", "GET").pipe(
      Effect.flatMap(Schema.decodeUnknown(UpstreamStats)),
      Effect.orDie
    )
    const upstream: PacedUpstream = {
      url: `${origin}/v1`,
      port,
      pid: child.pid ?? 0,
      stats,
      reset: call("/reset", "POST").pipe(Effect.orDie, Effect.asVoid),
      statsWhen: (wanted) =>
        stats.pipe(Effect.filterOrFail(wanted), Effect.retry(Schedule.spaced("2 millis")), Effect.orDie),
      kill: Effect.sync(() => {
        child.kill("SIGKILL")
      })
    }
    return upstream
  })

/** Answers every question with its own words; see `echo-upstream.mjs`. Answers what OPENAI_BASE_URL takes. */
export const echoUpstream = Effect.gen(function* () {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [echoScript], { stdio: ["pipe", "pipe", "inherit"] })),
    end
  )
  const line = yield* Effect.async<string>((resume) => {
    createInterface({ input: child.stdout }).once("line", (first) => resume(Effect.succeed(first)))
  })
  const { port } = yield* Schema.decode(Started)(line)
  return `http://127.0.0.1:${port}/v1`
})

const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
    else {
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    }
  })

export interface MockUpstream {
  /** What OPENAI_BASE_URL takes. */
  readonly url: string
  /** Set the answers on it: `onMessage`, `onToolResult`, `nextRequestError` … */
  readonly mock: LLMock
}

export const mockUpstream = (options: MockServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<MockUpstream> => {
      const mock = new LLMock({ port: 0, host: "127.0.0.1", ...options })
      await mock.start()
      return { url: `${mock.url}/v1`, mock }
    }),
    ({ mock }) => Effect.promise(() => mock.stop())
  )
