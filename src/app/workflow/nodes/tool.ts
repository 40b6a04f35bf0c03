/** Calls one tool, with arguments that the graph writes. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { callTool } from "../../assistant/callTool.ts"
import { jsonOf, textOf } from "../json.ts"
import { defineNode, failed, result } from "../NodeType.ts"
import { asVariable } from "../passages.ts"
import { findTool, noTool } from "../tools.ts"
import { entry } from "./llm.ts"

export const tool = defineNode({
  types: ["tool"],
  fields: Schema.Struct({}),
  make: (_fields, node, bench) => {
    const found = findTool(node.toolKey, bench.tools)
    const templates = [...node.fields]
      .filter(([key]) => key !== "output")
      .map(([key, { value }]) => [key, textOf(jsonOf(value))] as const)
    if (found === undefined) {
      const missing = noTool(node.toolKey, node.name)
      return { lacks: [missing], run: () => Effect.fail(failed(missing)) }
    }
    const { name } = found.spec
    return {
      run: ({ flowId, userId, reading }) =>
        Effect.gen(function* () {
          // A field that is left empty is an argument that is not given.
          const filled = templates
            .map(([key, template]) => [key, reading.fill(template)] as const)
            .filter(([, value]) => value !== "")
          const call = { id: node.id, name, arguments: JSON.stringify(Object.fromEntries(filled)) }
          const outcome = yield* callTool(call, new Map([[name, found]]), { flowId, userId })
          if (outcome.failed) return yield* failed(outcome.output)
          return result({
            outputs: {
              output: outcome.output,
              ...(outcome.passages.length > 0 ? asVariable(outcome.passages) : {})
            },
            log: [[...filled.map(([key, value]) => entry(key, value)), entry("output", outcome.output)]]
          })
        })
    }
  }
})
