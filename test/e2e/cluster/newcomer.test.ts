/** A node that has just come, which the others have not heard of yet. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { redisServer } from "../../support/faults/redis.ts"
import { asking, closed, stage, textOf } from "./stage.ts"

/** Seconds. A node hears of the others four times in it. */
const lease = 8

it.scopedLive(
  "keeps what it runs, though the others have not heard of it yet",
  Effect.fnUntraced(function* () {
    const redis = yield* redisServer()
    const { node, open } = yield* stage({ redisUrl: redis.url, env: { LEASE_TIME: `${lease} seconds` } })
    yield* node(1).sigterm
    // Whoever was not heard of for so long is dead to the node that stays.
    yield* Effect.sleep(`${lease + 1} seconds`)
    // It comes at another moment between two beats each time.
    for (const round of [1, 2]) {
      yield* node(1).start
      const client = yield* open(1)
      yield* client.say(asking("tokens=250 delay=10", `q${round}`))
      yield* closed(client, 1)
      const begin = client.frames.find(({ type }) => type === "begin")
      expect(textOf(client, begin?.run_id)).toMatch(/w249\s*$/)
      expect(client.frames.map(({ category }) => category)).not.toContain("error")
      yield* client.close
      yield* node(1).sigterm
    }
  }),
  90_000
)
