/** Drawn sequences of what nodes do with a session, carried out on several stores. */
import * as Effect from "effect/Effect"
import type { RedisError } from "../../../src/redis/RedisError.ts"
import { appending } from "../../../src/session/shared/LogStore.ts"
import { seededRandom } from "../../support/SeededScheduler.ts"
import type { Harness } from "./bothStores.ts"

/** What a node knows of one store. */
interface Node {
  readonly self: string
  fence: string
  epoch: string
  seq: number
}

/** One store, and the nodes that use it. Fences are called by the order in which they were given. */
class Play {
  readonly harness: Harness
  readonly nodes: ReadonlyArray<Node> = ["a", "b", "c"].map((self) => ({
    self,
    fence: "",
    epoch: "",
    seq: 0
  }))
  private readonly fences: Array<string> = []

  constructor(harness: Harness) {
    this.harness = harness
  }

  nameOf(fence: string): number {
    if (!this.fences.includes(fence)) this.fences.push(fence)
    return this.fences.indexOf(fence)
  }
}

type Step = (play: Play, key: string) => Effect.Effect<unknown, RedisError>

/** Answers, for each store, what every step of the sequence came to. */
export const transcripts = (
  seed: number,
  steps: number,
  harnesses: ReadonlyArray<Harness>
): Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, RedisError> =>
  Effect.suspend(() => {
    const random = seededRandom(seed)
    const script = Array.from({ length: steps }, () => draw(random))
    return Effect.forEach(harnesses, (harness) => {
      const play = new Play(harness)
      return Effect.forEach(script, ([name, step]) =>
        Effect.map(step(play, `1:flow:${seed}`), (answer) => [name, answer])
      )
    })
  })

const draw = (random: () => number): readonly [string, Step] => {
  const below = (count: number) => Math.floor(random() * count)
  const node = below(3)
  const luck = random()
  if (luck < 0.25) return claim(node, below(3), random() < 0.3, below(3))
  if (luck < 0.65) return append(node, below(10) === 0 ? 1 : 0, below(4))
  if (luck < 0.73) return release(node)
  if (luck < 0.75) return want
  if (luck < 0.9) return read(below(12))
  if (luck < 0.94) return glance
  return happening(below(3))
}

/** Sometimes with a wish to take it from another node, with more known than there can be, and as one that goes on. */
const claim = (who: number, other: number, takes: boolean, beyond: number): readonly [string, Step] => [
  `${who} claims${takes ? ` from ${other}` : ""}, ${beyond} beyond`,
  (play, key) => {
    const node = play.nodes[who]
    const dead = takes ? (play.nodes[other]?.self ?? null) : null
    if (node === undefined) return Effect.void
    const known = { epoch: node.epoch, seq: node.seq + (beyond === 2 ? 1 : 0) }
    return Effect.map(
      play.harness.store.claim(key, {
        self: node.self,
        dead,
        epoch: `${node.self} ${node.seq}`,
        seq: beyond,
        known,
        continues: beyond === 1
      }),
      (claimed) => {
        if (claimed._tag === "Held") return claimed
        const { fence, epoch, seq } = claimed
        Object.assign(node, { fence, epoch, seq })
        return { epoch, seq, fence: play.nameOf(fence) }
      }
    )
  }
]

const append = (who: number, off: number, length: number): readonly [string, Step] => [
  `${who} appends ${length}, ${off} off`,
  (play, key) => {
    const node = play.nodes[who]
    if (node === undefined || node.fence === "") return Effect.void
    const { fence, seq } = node
    const after = seq + off
    const batch = `${node.self} ${after}+${length}`
    return Effect.map(
      appending(play.harness.store, key, { fence, after, last: after + length, batch, running: length > 0 }),
      (appended) => {
        if (appended._tag === "Ok") node.seq = after + length
        return appended
      }
    )
  }
]

const release = (who: number): readonly [string, Step] => [
  `${who} releases`,
  (play, key) => {
    const node = play.nodes[who]
    return node === undefined ? Effect.void : play.harness.store.release(key, node.fence)
  }
]

const read = (after: number): readonly [string, Step] => [
  `read after ${after}`,
  (play, key) => play.harness.store.read(key, after)
]

const want: readonly [string, Step] = ["want", (play, key) => play.harness.store.want(key)]

const glance: readonly [string, Step] = [
  "glance",
  (play, key) => play.harness.store.glance([key, "1:flow:none"])
]

const happening = (kind: number): readonly [string, Step] => {
  switch (kind) {
    case 0:
      return ["lost", (play, key) => play.harness.lose(key)]
    case 1:
      return ["expired", (play, key) => play.harness.expire(key)]
    default:
      return ["moved", (play, key) => play.harness.move(key)]
  }
}
