import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "fast-check"
import { maxSteps } from "../../../src/app/workflow/engine.ts"
import {
  build,
  dialogue,
  type EdgeSketch,
  graph,
  type NodeSketch,
  output,
  type Ran,
  resume,
  run,
  said,
  start
} from "./support.ts"

/** A condition that goes by "yes" or by default, as the case may be. */
const condition = (id: string, yes: boolean): NodeSketch => ({
  id,
  type: "condition",
  params: {
    condition: [
      {
        id: "yes",
        conditions: [
          { left_var: "start_1.preset_question#go", comparison_operation: yes ? "is_not_empty" : "is_empty" }
        ]
      }
    ]
  }
})

interface Sketch {
  readonly kinds: ReadonlyArray<"output" | "yes" | "no" | "input">
  /** Pairs of nodes, and whether an edge that leaves a condition does so by "yes". */
  readonly pairs: ReadonlyArray<readonly [number, number, boolean]>
}

const sketches = FastCheck.record<Sketch>({
  kinds: FastCheck.array(FastCheck.constantFrom("output", "output", "yes", "no", "input"), {
    minLength: 1,
    maxLength: 9
  }),
  pairs: FastCheck.array(FastCheck.tuple(FastCheck.nat(9), FastCheck.nat(9), FastCheck.boolean()), {
    maxLength: 24
  })
})

const drawn = ({ kinds, pairs }: Sketch, circles: boolean) => {
  const inner = kinds.map((kind, index): NodeSketch => {
    const id = `n${index + 1}`
    if (kind === "output") return output(id, id)
    return kind === "input" ? dialogue(id) : condition(id, kind === "yes")
  })
  const nodes = [start({ preset_question: [{ key: "go", value: "x" }] }), ...inner]
  const idAt = (index: number): string => nodes[index % nodes.length]?.id ?? ""
  const edges = pairs.flatMap(([a, b, yes]): ReadonlyArray<EdgeSketch> => {
    const [from, to] = circles || a % nodes.length < b % nodes.length ? [a, b] : [b, a]
    const isCondition = nodes[from % nodes.length]?.type === "condition"
    if (from % nodes.length === to % nodes.length || to % nodes.length === 0) return []
    return [[idAt(from), idAt(to), isCondition && yes ? "yes" : "right_handle"]]
  })
  // What nothing leads to comes after the start, so that every node is connected.
  const loose = inner
    .filter(({ id }, index) => index === 0 || !edges.some(([, target]) => target === id))
    .map(({ id }): EdgeSketch => ["start_1", id])
  return { data: graph(nodes, [...edges, ...loose]), edges: [...edges, ...loose] }
}

/** To the end, with an answer to one waiting node at a time; the last ones first or last, as `turn` says. */
const throughout = (data: unknown, turn: number): Effect.Effect<ReadonlyArray<Ran>> =>
  Effect.gen(function* () {
    const app = yield* Effect.orDie(build(data))
    const runs = [yield* run(app)]
    const open = new Set<string>()
    for (let last = runs[0]; last !== undefined; last = runs.at(-1)) {
      for (const event of last.events) {
        if (event._tag === "NodeSaid" && event.category === "input")
          open.add(String(event.message["node_id"]))
      }
      if (last.state === undefined) break
      const waiting = [...open]
      const id = waiting[(turn + runs.length) % waiting.length] ?? ""
      open.delete(id)
      runs.push(yield* resume(app, last.state, said(id, { user_input: "on" })))
    }
    return runs
  })

const order = (runs: ReadonlyArray<Ran>) =>
  runs.flatMap(({ events }) =>
    events.flatMap((event) =>
      event._tag === "NodeStarted" || event._tag === "NodeEnded"
        ? [{ begins: event._tag === "NodeStarted", id: event.nodeId, run: event.uniqueId }]
        : []
    )
  )

const paired = (runs: ReadonlyArray<Ran>): void => {
  const open = new Set<string>()
  const all = new Set<string>()
  for (const { begins, run: unique } of order(runs)) {
    expect(begins ? all.has(unique) : !open.has(unique)).toBe(false)
    if (begins) open.add(unique)
    else open.delete(unique)
    all.add(unique)
  }
  expect(open.size).toBe(0)
}

describe("Whatever the graph", () => {
  it.live("each node of one without circles runs once at most, after everything that led to it", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(sketches, FastCheck.nat(5), async (sketch, turn) => {
          const { data, edges } = drawn(sketch, false)
          const runs = await Effect.runPromise(throughout(data, turn))
          expect(runs.at(-1)?.events.at(-1)?._tag).toBe("Finished")
          paired(runs)
          const steps = order(runs)
          const at = (begins: boolean, id: string) =>
            steps.findIndex((step) => step.begins === begins && step.id === id)
          for (const { id, begins } of steps) {
            expect(steps.filter((step) => step.id === id && step.begins === begins)).toHaveLength(1)
          }
          for (const [source, target] of edges) {
            if (at(true, source) !== -1 && at(true, target) !== -1) {
              expect(at(false, source)).toBeLessThan(at(true, target))
            }
          }
        }),
        { numRuns: 150 }
      )
    )
  )

  it.live("one with circles ends, or is ended by the limit of a node", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(sketches, FastCheck.nat(5), async (sketch, turn) => {
          const runs = await Effect.runPromise(throughout(drawn(sketch, true).data, turn))
          const last = runs.at(-1)
          if (last?.error === null) expect(last.events.at(-1)?._tag).toBe("Finished")
          else expect(last?.error.reason).toContain(`${maxSteps} times`)
          paired(runs)
        }),
        { numRuns: 40 }
      )
    )
  )
})
