/** A Redis Cluster of three masters, whose slots a test moves about. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { programPath, run } from "./command.ts"
import { clusterPort } from "./ports.ts"
import { type RedisServer, redisServer } from "./redis.ts"

export interface RedisCluster {
  /** What REDIS_URL takes. */
  readonly url: string
  readonly nodes: ReadonlyArray<RedisServer>
  /** Moves this many slots, and what is in them, from one node to another; each time from the next one. */
  readonly moveSlots: (count: number) => Effect.Effect<void, Error>
  /** Moves the slot of a key to the next node. */
  readonly moveSlotOf: (key: string) => Effect.Effect<void, Error>
  /** Has nobody serve the slot of a key; answers how to give it back. */
  readonly takeSlotOf: (key: string) => Effect.Effect<Effect.Effect<void, Error>, Error>
}

const size = 3

interface Member {
  readonly server: RedisServer
  readonly id: string
}

const patiently = Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(600))

export const redisCluster: Effect.Effect<RedisCluster, Error, Scope.Scope> = Effect.gen(function* () {
  const cli = yield* programPath("redis-cli", "valkey-cli")
  const nodes = yield* Effect.replicateEffect(
    Effect.flatMap(clusterPort, (port) =>
      redisServer({
        port,
        args: ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
      })
    ),
    size
  )
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`)
  yield* run(cli, ["--cluster", "create", ...hosts, "--cluster-replicas", "0", "--cluster-yes"])
  for (const { command } of nodes) {
    yield* command("CLUSTER", "INFO").pipe(
      Effect.filterOrFail(
        (info) => info.includes("cluster_state:ok"),
        () => new Error("the Redis Cluster did not come up")
      ),
      Effect.retry(patiently)
    )
  }
  const members = yield* Effect.forEach(nodes, (server) =>
    Effect.map(server.command("CLUSTER", "MYID"), (id): Member => ({ server, id }))
  )
  let turn = 0

  const moveSlots = (count: number) =>
    Effect.gen(function* () {
      const from = at(members, turn)
      const to = at(members, turn + 1)
      turn += 1
      yield* run(cli, [
        ...["--cluster", "reshard", `127.0.0.1:${from.server.port}`],
        ...["--cluster-from", from.id, "--cluster-to", to.id],
        ...["--cluster-slots", String(count), "--cluster-yes"]
      ])
    })

  const moveSlotOf = (key: string) =>
    Effect.gen(function* () {
      const slot = yield* at(members, 0).server.command("CLUSTER", "KEYSLOT", key)
      const place = yield* ownerOf(slot, members)
      yield* moveSlot(slot, at(members, place), at(members, place + 1), members)
    })

  const takeSlotOf = (key: string) =>
    Effect.gen(function* () {
      const slot = yield* at(members, 0).server.command("CLUSTER", "KEYSLOT", key)
      const { command } = at(members, yield* ownerOf(slot, members)).server
      yield* command("CLUSTER", "DELSLOTS", slot)
      return Effect.asVoid(command("CLUSTER", "ADDSLOTS", slot))
    })

  return { url: `redis+cluster://${hosts.join(",")}`, nodes, moveSlots, moveSlotOf, takeSlotOf }
})

const at = (members: ReadonlyArray<Member>, place: number): Member => {
  const member = members[place % members.length]
  if (member === undefined) throw new Error("a cluster without members")
  return member
}

/** Its place among the members. Only the owner of a slot answers for the keys in it. */
const ownerOf = (slot: string, members: ReadonlyArray<Member>): Effect.Effect<number, Error> =>
  Effect.gen(function* () {
    const lines = (yield* at(members, 0).server.command("CLUSTER", "NODES")).split("\n")
    const owner = lines.find((line) =>
      line
        .split(" ")
        .slice(8)
        .some((range) => {
          const [low, high] = range.split("-")
          return Number(low) <= Number(slot) && Number(slot) <= Number(high ?? low)
        })
    )
    const place = members.findIndex(({ id }) => owner?.startsWith(id))
    return place === -1 ? yield* Effect.fail(new Error(`nobody owns slot ${slot}`)) : place
  })

const keysAtOnce = "100"

/** As an operator does it: both ends are told, the keys follow, then everybody is told. */
const moveSlot = (
  slot: string,
  from: Member,
  to: Member,
  members: ReadonlyArray<Member>
): Effect.Effect<void, Error> =>
  Effect.gen(function* () {
    yield* to.server.command("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id)
    yield* from.server.command("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)
    for (;;) {
      const keys = (yield* from.server.command("CLUSTER", "GETKEYSINSLOT", slot, keysAtOnce))
        .split("\n")
        .filter((key) => key !== "")
      if (keys.length === 0) break
      const there = ["MIGRATE", "127.0.0.1", String(to.server.port), "", "0", "5000", "KEYS"]
      yield* from.server.command(...there, ...keys)
    }
    yield* to.server.command("CLUSTER", "SETSLOT", slot, "NODE", to.id)
    yield* from.server.command("CLUSTER", "SETSLOT", slot, "NODE", to.id)
    for (const { server } of members) yield* server.command("CLUSTER", "SETSLOT", slot, "NODE", to.id)
  })
