/**
 * What building a skill costs by its number of nodes: `npx tsx bench/build.ts`. A graph of n nodes is n - 3 prompts'
 * variables, a prompt, a chain and a model; the last column stays flat when the cost is linear.
 */
import { performance } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import { buildSkill, type SkillBench } from "../src/app/skill/Skill.ts"
import { DocumentFailed } from "../src/knowledge/Documents.ts"

const none = () => Effect.fail(new DocumentFailed({ reason: "no documents" }))

const bench: SkillBench = {
  model: { label: "none", generate: () => Effect.die("not asked") },
  library: { search: () => Effect.succeed([]) },
  documents: { load: none, fetch: none },
  retrieval: { index: () => Effect.succeed({ search: () => Effect.succeed([]) }) },
  tools: new Map()
}

const node = (id: string, type: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  id,
  data: {
    type,
    node: { template: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { value }])) }
  }
})

const edge = (source: string, target: string, field: string) => ({
  source,
  target,
  targetHandle: `any|${field}|${target}`
})

const graphOf = (size: number) => {
  const variables = Array.from({ length: size - 3 }, (_, i) => `v${i}`)
  return {
    nodes: [
      node("model", "ChatOpenAI"),
      node("prompt", "PromptTemplate", {
        template: `${variables.map((name) => `{${name}}`).join(" ")} {input}`
      }),
      node("chain", "LLMChain"),
      ...variables.map((name) => node(name, "VariableNode", { variables: [name] }))
    ],
    edges: [
      edge("model", "chain", "llm"),
      edge("prompt", "chain", "prompt"),
      ...variables.map((name) => edge(name, "prompt", name))
    ]
  }
}

const flowOf = (size: number) => ({
  id: "f".repeat(32),
  name: "graph",
  description: "",
  flow_type: 1 as const,
  status: 2 as const,
  user_id: 1,
  data: graphOf(size),
  version_id: 1,
  create_time: new Date(0),
  update_time: new Date(0)
})

console.log("| nodes | ms a build | us a node |\n|---|---|---|")
for (const size of [10, 50, 100, 500, 1_000, 2_000, 4_000]) {
  const flow = flowOf(size)
  const rounds = Math.max(5, Math.round(20_000 / size))
  for (let i = 0; i < rounds; i++) Effect.runSync(buildSkill(flow, bench))
  const began = performance.now()
  for (let i = 0; i < rounds; i++) Effect.runSync(buildSkill(flow, bench))
  const each = (performance.now() - began) / rounds
  console.log(`| ${size} | ${each.toFixed(2)} | ${((each * 1_000) / size).toFixed(1)} |`)
}
