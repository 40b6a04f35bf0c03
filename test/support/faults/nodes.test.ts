import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { freshDatabase } from "../database.ts"
import { call, guest } from "../process.ts"
import { pacedUpstream } from "../upstream.ts"
import { haproxy } from "./haproxy.ts"
import { serverNodes } from "./nodes.ts"
import { redisServer } from "./redis.ts"

const patience = { timeout: 90_000 }

const twoNodes = Effect.gen(function* () {
  const redis = yield* redisServer()
  const upstream = yield* pacedUpstream()
  return yield* serverNodes({
    count: 2,
    databaseUrl: yield* freshDatabase,
    redisUrl: redis.url,
    upstreamUrl: upstream.url
  })
})

const eventually = (look: Effect.Effect<boolean, Error>) =>
  look.pipe(
    Effect.filterOrFail(
      (isSo) => isSo,
      () => new Error("not so")
    ),
    Effect.retry(Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(600))),
    Effect.orDie
  )

describe("server nodes under test control", () => {
  it.scopedLive(
    "know each other's users, and come back under their name and port however they ended",
    () =>
      Effect.gen(function* () {
        const [one, other] = yield* twoNodes
        if (one === undefined || other === undefined) return yield* Effect.die("two nodes were asked for")
        const token = yield* guest(one)
        const known = (node: typeof one) => call(node, "GET", "/api/v1/user/info", { token })
        expect(yield* known(other)).toEqual(yield* known(one))
        const pids = [one.pid()]
        yield* one.restart
        pids.push(one.pid())
        yield* known(one)
        expect(yield* one.sigterm).toBe(0)
        expect(one.pid()).toBe(null)
        yield* one.start
        pids.push(one.pid())
        yield* known(one)
        // Whoever waited for its end was called off.
        yield* Effect.raceFirst(one.sigterm, Effect.sleep("10 millis"))
        yield* one.start
        pids.push(one.pid())
        yield* known(one)
        expect(new Set(pids).size).toBe(4)
        expect(one.crashes()).toEqual([])
        expect(one.peakMemory()).toBeGreaterThan(10 * 1024 * 1024)
        // The scope ends it all the same.
        yield* one.sigstop
      }),
    patience
  )

  it.scopedLive(
    "are balanced by HAProxy, which leaves out the one that is down",
    () =>
      Effect.gen(function* () {
        const nodes = yield* twoNodes
        const front = yield* haproxy(nodes)
        const upAre = (...names: ReadonlyArray<string>) =>
          eventually(Effect.map(front.up, (up) => up.join() === names.join()))
        yield* upAre("s1", "s2")
        yield* nodes[0]?.sigkill ?? Effect.void
        yield* upAre("s2")
        yield* Effect.replicateEffect(call(front, "GET", "/health/ready"), 4)
        yield* nodes[0]?.start ?? Effect.void
        yield* upAre("s1", "s2")
      }),
    patience
  )
})
