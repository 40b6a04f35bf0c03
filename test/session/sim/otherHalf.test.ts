/** The other half of the histories of `simulation.test.ts`. */
import { describe, expect, it } from "@effect/vitest"
import { blocks, failuresOf, replayed } from "./histories.ts"

const patience = 300_000

describe.runIf(replayed === null)("several nodes, whatever happens to them", () => {
  it.each(blocks(2, 2))(
    "keep every promise in histories $from to $to",
    async (block) => {
      expect(await failuresOf(block)).toBe("")
    },
    patience
  )
})
