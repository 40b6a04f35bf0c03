import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { buildSkill } from "../../../src/app/skill/Skill.ts"
import { edge, node, skillRecord } from "../graphs.ts"
import { says, scriptedModel } from "../scriptedModel.ts"
import { makeBench } from "./bench.ts"

/** A chain whose prompt is filled by ever more loaders and variables. */
const wide = (size: number) => {
  const names = Array.from({ length: size }, (_, n) => `v${n}`)
  return {
    nodes: [
      node("chain", "LLMChain"),
      node("model", "ChatOpenAI"),
      node("prompt", "PromptTemplate", { template: `{input}${names.map((name) => `{${name}}`).join("")}` }),
      ...names.map((name) => node(name, "VariableNode", { variables: [name] }))
    ],
    edges: [
      edge("model", "chain", "llm"),
      edge("prompt", "chain", "prompt"),
      ...names.map((name) => edge(name, "prompt", name))
    ]
  }
}

const told = (size: number) =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const { bench } = makeBench(scriptedModel(says("ok")).service)
    const data = wide(size)
    const began = performance.now()
    yield* buildSkill(skillRecord(data), bench, (one, index, total) =>
      Effect.sync(() => seen.push(`${one.id} ${index} ${total}`))
    )
    return { seen, time: performance.now() - began, nodes: data.nodes.length }
  })

it.effect("tells of each node once, sources first, before it is built", () =>
  Effect.gen(function* () {
    const { seen } = yield* told(2)
    expect(seen).toEqual(["model 0 5", "v0 1 5", "v1 2 5", "prompt 3 5", "chain 4 5"])
  })
)

it.effect("building takes no more than its share of a graph ten times as large", () =>
  Effect.gen(function* () {
    yield* told(2_000)
    const best = (size: number) =>
      Effect.map(Effect.all([told(size), told(size), told(size)]), (runs) =>
        Math.min(...runs.map(({ time }) => time))
      )
    const small = yield* best(400)
    const large = yield* best(4_000)
    expect((yield* told(4_000)).seen).toHaveLength(4_003)
    // Ten times as much, where the square would be a hundred times.
    expect(large / Math.max(small, 1)).toBeLessThan(40)
  })
)
