/** The real program as a process, on a free loopback port, with a data directory of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { connect } from "./client.ts"

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url))

export interface ServerProcess {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Everything it printed so far. */
  readonly output: () => string
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits for the end; answers its exit code, or the signal that ended it. */
  readonly exited: Effect.Effect<number | string>
}

export type Environment = Readonly<Record<string, string>>

/** A directory that is gone with the scope. */
export const tempDir = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "colloquy-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const exitOf = (child: ChildProcess): Effect.Effect<number | string> =>
  Effect.async((resume) => {
    const done = () => resume(Effect.succeed(child.signalCode ?? child.exitCode ?? 0))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once("exit", done)
  })

/** Starts the built program; ready when it has said its address. Killed with the scope. */
export const startProcess = (environment: Environment) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [main], {
          env: { PATH: process.env["PATH"] ?? "", HOST: "127.0.0.1", PORT: "0", ...environment },
          stdio: ["ignore", "pipe", "pipe"]
        })
      ),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          exitOf(child)
        )
    )
    let output = ""
    const url = yield* Effect.async<string, Error>((resume) => {
      const read = (chunk: Buffer) => {
        output += chunk.toString()
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)
        if (found !== null) resume(Effect.succeed(found[0]))
      }
      child.stdout.on("data", read)
      child.stderr.on("data", read)
      child.once("exit", (code) => resume(Effect.fail(new Error(`the server ended with ${code}: ${output}`))))
    })
    const server: ServerProcess = {
      url,
      port: Number(new URL(url).port),
      pid: child.pid ?? 0,
      output: () => output,
      signal: (signal) =>
        Effect.sync(() => {
          child.kill(signal)
        }),
      exited: exitOf(child)
    }
    return server
  })

/** One REST call; answers the envelope's `data`, or dies with what came instead. */
export const call = (
  server: { readonly url: string },
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  options: { readonly token?: string; readonly body?: unknown } = {}
) =>
  Effect.promise(async () => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` })
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
    })
    // A test's own look at the answer: what it expects of `data` it says itself.
    const envelope = JSON.parse(await response.text())
    if (envelope.status_code !== 200) {
      throw new Error(`${method} ${path}: HTTP ${response.status} ${JSON.stringify(envelope)}`)
    }
    return envelope.data
  })

/** A fresh guest's token. */
export const guest = (server: { readonly url: string }) =>
  Effect.map(call(server, "POST", "/api/v1/user/guest"), ({ access_token }): string => access_token)

/** An online assistant of this user; `tools: []` unless said otherwise. */
export const newAssistant = (server: { readonly url: string }, token: string, more: object = {}) =>
  Effect.gen(function* () {
    const body = { name: "Test assistant", prompt: "You answer.", tools: [], ...more }
    const { id } = yield* call(server, "POST", "/api/v1/assistant", { token, body })
    yield* call(server, "POST", "/api/v1/assistant/status", { token, body: { id, status: 2 } })
    return String(id)
  })

/** Stored messages of a chat, oldest first. */
export const historyOf = (server: { readonly url: string }, token: string, flowId: string, chatId: string) =>
  Effect.map(
    call(server, "GET", `/api/v1/chat/history?flow_id=${flowId}&chat_id=${chatId}&page_size=100`, { token }),
    (rows: ReadonlyArray<Record<string, unknown>>) => [...rows].reverse()
  )

export const openSocket = (
  server: { readonly port: number },
  flowId: string,
  chatId: string,
  token: string,
  query = ""
) => connect(`ws://127.0.0.1:${server.port}/api/v1/chat/${flowId}?chat_id=${chatId}&t=${token}${query}`)
