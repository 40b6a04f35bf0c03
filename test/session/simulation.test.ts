/**
 * Nodes over one store and one database, with crashes, pauses, outages and slow readers, in virtual time and in an order
 * that a seed decides; every history is checked for what `docs/delivery.md` promises. `sim/histories.ts` says how to
 * replay one. A second file runs the other half, so that both run at the same time.
 */
import { describe, expect, it } from "@effect/vitest"
import { blocks, failuresOf, replay, replayed } from "./sim/histories.ts"

const patience = 300_000

describe("several nodes, whatever happens to them", () => {
  const seed = replayed
  if (seed !== null) {
    it(`keep every promise in history ${seed}`, () => {
      expect(replay(seed)).toEqual([])
    })
  } else {
    it.each(blocks(1, 2))(
      "keep every promise in histories $from to $to",
      async (block) => {
        expect(await failuresOf(block)).toBe("")
      },
      patience
    )
  }
})
