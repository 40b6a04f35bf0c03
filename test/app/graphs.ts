/** Small graphs for tests, in the editor's own notation, and the templates that Bisheng ships. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"
import type { Flow } from "../../src/storage/rows.ts"

export const node = (id: string, type: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  id,
  data: {
    id,
    type,
    node: {
      template: {
        _type: type,
        ...Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [name, { name, type: "str", required: false, value }])
        )
      }
    }
  }
})

export const edge = (source: string, target: string, field: string) => ({
  source,
  target,
  sourceHandle: `Type|${source}|Any`,
  targetHandle: `Any|${field}|${target}`
})

export const skillRecord = (data: unknown, name = "Skill"): Flow => ({
  id: "b".repeat(32),
  name,
  description: "",
  flow_type: 1,
  status: 2,
  user_id: 1,
  data,
  version_id: 1,
  create_time: new Date(0),
  update_time: new Date(0)
})

/** A prompt, a model and a chain, with more nodes and edges where a test wants them. */
export const promptGraph = (
  template: string,
  more: {
    readonly prompt?: object
    readonly nodes?: ReadonlyArray<unknown>
    readonly edges?: ReadonlyArray<ReturnType<typeof edge>>
  } = {}
) => ({
  nodes: [
    node("chain", "LLMChain"),
    node("prompt", "PromptTemplate", { template, ...more.prompt }),
    node("model", "ChatOpenAI", { model_name: "", temperature: "0.2" }),
    ...(more.nodes ?? [])
  ],
  edges: [edge("prompt", "chain", "prompt"), edge("model", "chain", "llm"), ...(more.edges ?? [])]
})

const Templates = Schema.parseJson(Schema.Array(Schema.Struct({ name: Schema.String, data: Schema.Unknown })))

const templates = Schema.decodeUnknownSync(Templates)(
  readFileSync(new URL("../fixtures/bisheng-skills.json", import.meta.url), "utf8")
)

/** One of the templates that Bisheng ships, by a part of its name. */
export const template = (name: string): unknown => {
  const found = templates.find((one) => one.name.includes(name))
  if (found === undefined) throw new Error(`no template named ${name}`)
  return found.data
}
