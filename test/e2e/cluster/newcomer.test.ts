/** A node that has just come, which the others have not heard of yet. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { redisServer } from "../../support/faults/redis.ts"
import { asking, closed, hasStreamed, stage, textOf } from "./stage.ts"

it.scopedLive(
  "keeps what it runs, though the others have not heard of it yet",
  Effect.fnUntraced(function* () {
    const redis = yield* redisServer()
    const { node, open } = yield* stage({ redisUrl: redis.url })
    // The node that stays ends what another one has left: whoever it has not heard of for a lease is dead to it.
    const watcher = yield* open(0)
    yield* (yield* open(1)).say(asking("tokens=2000 delay=10", "m1"))
    yield* hasStreamed(watcher, "w9 ")
    yield* node(1).sigkill
    yield* closed(watcher, 1)
    for (const question of ["m2", "m3"]) {
      yield* node(1).start
      const client = yield* open(1)
      yield* client.say(asking("tokens=250 delay=10", question))
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
