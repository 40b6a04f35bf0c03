/** Does one bad thing after the other, with calm in between. What and when comes from its seed. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServerNode } from "../support/faults/nodes.ts"
import { seededRandom } from "../support/SeededScheduler.ts"
import type { World } from "./world.ts"

export interface Fault {
  readonly kind: string
  /** What was done, in words. */
  readonly what: string
  readonly from: number
  /** Null while it goes on. */
  until: number | null
}

interface Deed {
  readonly what: string
  readonly act: Effect.Effect<unknown, Error>
}

type Random = () => number

const calm = { low: 3, high: 7 }

const kinds: Readonly<Record<string, (world: World, random: Random) => Deed>> = {
  "kill node": ({ nodes }, random) => {
    const node = pick(nodes, random)
    const { text, wait } = seconds(random, 0.1, 4)
    return { what: `${node.id} for ${text}`, act: Effect.all([node.sigkill, wait, node.start]) }
  },
  "stop node": ({ nodes }, random) => {
    const node = pick(nodes, random)
    const { text, wait } = seconds(random, 1, 12)
    return { what: `${node.id} for ${text}`, act: Effect.all([node.sigstop, wait, node.sigcont]) }
  },
  "roll nodes": ({ nodes }) => ({
    what: "one after the other",
    act: Effect.forEach(nodes, ({ sigterm, start }) => Effect.zipRight(sigterm, start))
  }),
  "cut lines": ({ proxy }, random) => {
    const isAll = random() < 0.5
    // One draw, however many lines there are: what comes next is to be the same for the same seed.
    const own = seededRandom(Math.floor(random() * 2 ** 32))
    return { what: isAll ? "all" : "half", act: isAll ? proxy.cutAll : proxy.cutSome(own, 0.5) }
  },
  "stall lines": ({ proxy }, random) => {
    const { text, length } = seconds(random, 1, 8)
    return { what: `for ${text}`, act: proxy.stallFor(length) }
  },
  "throttle lines": ({ proxy }, random) => {
    const rate = Math.round(500 + random() * 4_500)
    const { text, wait } = seconds(random, 2, 8)
    return {
      what: `to ${rate} bytes/s for ${text}`,
      act: Effect.all([proxy.throttle(rate), wait, proxy.throttle(null)])
    }
  },
  "restart redis": ({ redis }, random) => {
    const { text, wait } = seconds(random, 0, 4)
    return { what: `empty, down for ${text}`, act: Effect.all([redis.kill, wait, redis.start]) }
  },
  "flush redis": ({ redis }) => ({ what: "", act: redis.flush }),
  "pause redis": ({ redis }, random) => {
    const { text, wait } = seconds(random, 1, 5)
    return { what: `for ${text}`, act: Effect.all([redis.pause, wait, redis.resume]) }
  },
  "restart mariadb": ({ database }, random) => {
    const { text, wait } = seconds(random, 0, 4)
    return { what: `down for ${text}`, act: Effect.all([database.kill, wait, database.start]) }
  },
  "pause mariadb": ({ database }, random) => {
    const { text, wait } = seconds(random, 1, 10)
    return { what: `for ${text}`, act: Effect.all([database.pause, wait, database.resume]) }
  }
}

export const faultKinds = Object.keys(kinds)

/** Goes on until it is interrupted; what it leaves behind then, `heal` puts right. */
export const nemesis = (
  world: World,
  random: Random,
  tell: (fault: Fault) => void,
  only: ReadonlyArray<string> = faultKinds
): Effect.Effect<never, Error> =>
  Effect.gen(function* () {
    for (;;) {
      yield* seconds(random, calm.low, calm.high).wait
      const kind = pick(only, random)
      const deed = kinds[kind]?.(world, random)
      if (deed === undefined) return yield* Effect.fail(new Error(`there is no fault "${kind}"`))
      const fault: Fault = { kind, what: deed.what, from: Date.now(), until: null }
      tell(fault)
      yield* Effect.ensuring(
        deed.act,
        Effect.sync(() => {
          fault.until = Date.now()
        })
      )
    }
  })

const pick = <A extends ServerNode | string>(all: ReadonlyArray<A>, random: Random): A => {
  const one = all[Math.floor(random() * all.length)]
  if (one === undefined) throw new Error("nothing to choose from")
  return one
}

const seconds = (random: Random, low: number, high: number) => {
  const length = Duration.seconds(low + random() * (high - low))
  return { length, wait: Effect.sleep(length), text: `${Duration.toSeconds(length).toFixed(1)} s` }
}
