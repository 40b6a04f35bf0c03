/** A Redis master with one replica, watched by three Sentinels that put the replica in its place. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { freshFolder } from "../database.ts"
import { programPath } from "./command.ts"
import { daemon } from "./daemon.ts"
import { answers, stablePort } from "./ports.ts"
import { type RedisServer, redisCommand, redisServer } from "./redis.ts"

export interface RedisSentinel {
  /** What REDIS_URL takes. */
  readonly url: string
  readonly master: Effect.Effect<RedisServer, Error>
  /** Kills the master; done when all Sentinels name the other server. Takes some seconds. */
  readonly failover: Effect.Effect<void, Error>
  /** Starts the server again that a fail-over killed; done when it is a replica that can take over. */
  readonly revive: Effect.Effect<void, Error>
}

const masterName = "mymaster"
const count = 3

/** Sentinels look at each other every two seconds and at replicas every ten. */
const patiently = Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(600))

const eventually = <A>(
  what: string,
  look: Effect.Effect<A, Error>,
  isSo: (found: A) => boolean
): Effect.Effect<void, Error> =>
  look.pipe(
    Effect.filterOrFail(isSo, () => new Error(`waited in vain for ${what}`)),
    Effect.retry(patiently),
    Effect.asVoid
  )

export const redisSentinel: Effect.Effect<RedisSentinel, Error, Scope.Scope> = Effect.gen(function* () {
  const first = yield* redisServer()
  const second = yield* redisServer({
    args: ["--replicaof", "127.0.0.1", String(first.port), "--repl-diskless-sync-delay", "0"]
  })
  const program = yield* programPath("redis-server", "valkey-server")
  const ports = yield* Effect.replicateEffect(
    Effect.gen(function* () {
      const port = yield* stablePort
      const folder = yield* freshFolder
      const file = join(folder, "sentinel.conf")
      // It writes what it learns into this file.
      writeFileSync(file, configuration(port, folder, first.port))
      yield* daemon({
        name: `Sentinel ${port}`,
        program,
        args: [file, "--sentinel"],
        ready: answers(port, "PING\r\n")
      })
      return port
    }),
    count
  )
  const ask = (port: number, ...words: ReadonlyArray<string>) =>
    redisCommand(port, "SENTINEL", ...words, masterName)
  const all = <A>(look: (port: number) => Effect.Effect<A, Error>) => Effect.forEach(ports, look)

  const masterPorts = all((port) =>
    Effect.map(ask(port, "GET-MASTER-ADDR-BY-NAME"), (address) => Number(address.split("\n")[1]))
  )
  const isReady = all((port) =>
    Effect.map(ask(port, "MASTER"), (text) => {
      const fields = text.split("\n")
      const value = (name: string) => fields[fields.indexOf(name) + 1]
      return (
        value("num-slaves") === "1" && value("num-other-sentinels") === "2" && value("flags") === "master"
      )
    })
  )
  const replicaFollows = all((port) =>
    Effect.map(ask(port, "REPLICAS"), (text) => text.includes("master-link-status\nok"))
  )
  const areTrue = (found: ReadonlyArray<boolean>) => found.every((one) => one)
  const settled = Effect.zipRight(
    eventually("the Sentinels to know each other and the replica", isReady, areTrue),
    eventually("the replica to follow", replicaFollows, areTrue)
  )
  yield* settled

  const master = Effect.map(masterPorts, ([port]) => (port === second.port ? second : first))
  let killed: RedisServer | null = null

  const failover = Effect.gen(function* () {
    const old = yield* master
    const other = old === first ? second : first
    yield* old.kill
    killed = old
    yield* eventually("a fail-over", masterPorts, (found) => found.every((port) => port === other.port))
    yield* eventually("the new master", other.command("ROLE"), (role) => role.startsWith("master"))
  })

  const revive = Effect.suspend(() =>
    killed === null
      ? Effect.void
      : killed.start.pipe(
          Effect.zipRight(Effect.suspend(() => eventually("the revived server", killedRole(), isReplica))),
          Effect.zipRight(settled)
        )
  )
  const killedRole = () => (killed === null ? Effect.succeed("slave") : killed.command("ROLE"))
  const isReplica = (role: string) => role.startsWith("slave")

  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",")
  return { url: `redis+sentinel://${hosts}/${masterName}`, master, failover, revive }
})

const configuration = (port: number, folder: string, masterPort: number): string =>
  [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 5000`,
    `sentinel parallel-syncs ${masterName} 1`,
    ""
  ].join("\n")
