/**
 * The end of a graph that makes a document: the chains' answers and the values of the variables, under the names
 * that a .docx template asks for them.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ReportSection } from "../../App.ts"
import { fault, named } from "../Graph.ts"
import { defineNode, Optional, wiredAll } from "../NodeType.ts"
import type { ChainPart } from "../Part.ts"

export const report = defineNode({
  types: ["Report"],
  fields: Schema.Struct({ report_name: Optional(Schema.String) }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const chains = yield* wiredAll(node, "chains", "Chain")
      if (chains.length === 0) {
        return yield* fault(`node ${named(node)} needs a chain connected to "chains"`, node)
      }
      const asking = chains.find((chain) => chain.resume !== undefined)
      if (asking !== undefined) {
        const words = `the chain "${asking.nodeId}" waits for a person, which a report cannot`
        return yield* fault(`node ${named(node)}: ${words}`, node)
      }
      const variables = yield* wiredAll(node, "variables", "Variable")
      return {
        _tag: "Report",
        name: fields.report_name?.trim() || "report",
        sections: chains.flatMap(sectionsOf),
        variables: Object.fromEntries(
          variables.flatMap(({ nodeId, values }) =>
            Object.entries(values).flatMap(
              ([name, value]): ReadonlyArray<[string, string]> => [
                [name, value],
                [`${nodeId}_${name}`, value]
              ]
            )
          )
        )
      }
    })
})

/** One for each preset question; of a chain without any, one for whatever the report is asked. */
const sectionsOf = (chain: ChainPart): ReadonlyArray<ReportSection> => {
  if (chain.preset.length === 0) {
    return [{ nodeId: chain.nodeId, question: "", keys: [chain.nodeId], answer: chain.answer }]
  }
  return chain.preset.map((question, at) => ({
    nodeId: chain.nodeId,
    question,
    // Bisheng's editor writes the first one into templates; the others are for people who write their own.
    keys: [
      `${chain.nodeId}_${question}`,
      question,
      `${chain.nodeId}_${at}`,
      ...(chain.preset.length === 1 ? [chain.nodeId] : [])
    ],
    answer: (given) =>
      chain.answer({ ...given, text: question, inputs: { ...given.inputs, [chain.inputKey]: question } })
  }))
}
