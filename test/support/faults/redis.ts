/** A real Redis that a test kills, empties and freezes. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { freshFolder } from "../database.ts"
import { programPath, run } from "./command.ts"
import { type Daemon, daemon } from "./daemon.ts"
import { answers, stablePort } from "./ports.ts"

export interface RedisServer extends Pick<Daemon, "start" | "kill" | "pause" | "resume" | "output" | "pid"> {
  readonly port: number
  /** What REDIS_URL takes. */
  readonly url: string
  /** SIGKILL and a new life at the same port: empty, unless it persists. */
  readonly restart: Effect.Effect<void, Error>
  /** FLUSHALL. */
  readonly flush: Effect.Effect<void, Error>
  /** One command; answers what it says as plain text. */
  readonly command: (...words: ReadonlyArray<string>) => Effect.Effect<string, Error>
}

export interface RedisOptions {
  /** Every write is on disk before it is answered (an append-only file, fsync always). */
  readonly persistent?: boolean
  readonly port?: number
  readonly args?: ReadonlyArray<string>
}

const failures = /^(ERR|MOVED|ASK|LOADING|CLUSTERDOWN|IOERR|MASTERDOWN) /

/** What `redis-cli` says at a port. It tells of errors on its output, so those are looked for there. */
export const redisCommand = (port: number, ...words: ReadonlyArray<string>): Effect.Effect<string, Error> =>
  Effect.gen(function* () {
    const cli = yield* programPath("redis-cli", "valkey-cli")
    const text = (yield* run(cli, ["-h", "127.0.0.1", "-p", String(port), ...words])).trim()
    return failures.test(text) ? yield* Effect.fail(new Error(`${words.join(" ")}: ${text}`)) : text
  })

export const redisServer = ({
  persistent = false,
  port: wanted,
  args = []
}: RedisOptions = {}): Effect.Effect<RedisServer, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const program = yield* programPath("redis-server", "valkey-server")
    const folder = yield* freshFolder
    const port = wanted ?? (yield* stablePort)
    const process = yield* daemon({
      name: `Redis ${port}`,
      program,
      args: [
        ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
        ...["--appendonly", persistent ? "yes" : "no", "--appendfsync", "always"],
        ...args
      ],
      ready: answers(port, "PING\r\n")
    })
    const { start, kill, pause, resume, output, pid } = process
    const command = (...words: ReadonlyArray<string>) => redisCommand(port, ...words)
    return {
      port,
      url: `redis://127.0.0.1:${port}`,
      start,
      kill,
      pause,
      resume,
      output,
      pid,
      restart: Effect.zipRight(kill, start),
      flush: Effect.asVoid(command("FLUSHALL")),
      command
    }
  })
