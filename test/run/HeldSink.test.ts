/** What is held back comes later, and is the same. */
import { expect, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import type { DeltaSink, RunSink } from "../../src/protocol/RunEvent.ts"
import { HeldSink } from "../../src/run/HeldSink.ts"

const nodeRun = { uniqueId: "u", nodeId: "n", name: "Output" }

/** Writes down what it is told. */
const witness = () => {
  const told: Array<string> = []
  const sinkOf = (name: string): DeltaSink => ({
    text: (delta) => told.push(`${name} text ${delta}`),
    reasoning: (delta) => told.push(`${name} reasoning ${delta}`)
  })
  const sink: RunSink = {
    ...sinkOf("run"),
    node: ({ uniqueId }, outputKey) => {
      told.push(`opened ${uniqueId} ${outputKey}`)
      return sinkOf(`${uniqueId} ${outputKey}`)
    }
  }
  return { told, sink }
}

interface Saying {
  readonly where: string
  readonly kind: keyof DeltaSink
  readonly delta: string
}

const saying: FastCheck.Arbitrary<Saying> = FastCheck.record({
  where: FastCheck.constantFrom("run", "a", "b"),
  kind: FastCheck.constantFrom<keyof DeltaSink>("text", "reasoning"),
  delta: FastCheck.string({ minLength: 1 })
})

/** Says all of it; after so many it calls `between`. */
const say = (sink: RunSink, sayings: ReadonlyArray<Saying>, at: number, between: () => void) => {
  const nodes = new Map<string, DeltaSink>()
  for (const [i, { where, kind, delta }] of sayings.entries()) {
    if (i === at) between()
    if (where === "run") sink[kind](delta)
    else {
      const node = nodes.get(where) ?? sink.node(nodeRun, where)
      nodes.set(where, node)
      node[kind](delta)
    }
  }
  if (at >= sayings.length) between()
}

it("says nothing before it is released, and then everything in order", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.array(saying), FastCheck.nat(20), (sayings, at) => {
      const direct = witness()
      say(direct.sink, sayings, 0, () => undefined)
      const later = witness()
      const held = new HeldSink(later.sink)
      say(held, sayings, at, () => {
        expect(later.told).toEqual([])
        held.release()
      })
      expect(later.told).toEqual(direct.told)
    })
  )
})
