/**
 * Hands its inputs on under other names. A function that changes them would be Python code, which this server
 * does not run.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Deltas, noUsage, type RunEvent } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import { asText } from "../asText.ts"
import { answered, makeChain } from "../chain.ts"
import { LooseText, textList } from "../fields.ts"
import type { GraphNode } from "../Graph.ts"
import { defineNode, fieldValues, Optional } from "../NodeType.ts"

const codeFields = ["transform", "transform_cb", "transform_func", "atransform"]

const lacks = (node: GraphNode): string | null => {
  const fields = fieldValues(node)
  return codeFields.some((name) => asText(fields[name]).trim() !== "")
    ? "it runs Python code: this server runs none"
    : null
}

export const transformChain = defineNode({
  types: ["TransformChain"],
  lacks,
  fields: Schema.Struct({ input_variables: Optional(LooseText), output_variables: Optional(LooseText) }),
  build: (fields, node) => {
    const inputs = textList(fields.input_variables)
    const outputs = textList(fields.output_variables)
    const inputKey = inputs[0] ?? "input"
    return makeChain(node, {
      inputKey,
      outputKey: outputs[0] ?? "output",
      answer: (question) =>
        Stream.fromEffect(
          Effect.map(Deltas, (sink): RunEvent => {
            const text = handedOn(question, inputs, outputs)
            sink.text(text)
            return answered(text, noUsage)
          })
        )
    })
  }
})

/** One value as it is; several as JSON, by the outputs' names. */
const handedOn = (
  { inputs: given, text }: Question,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>
): string => {
  if (inputs.length <= 1) return text
  const values = inputs.map((name, at): [string, string] => [
    outputs[at] ?? name,
    Object.hasOwn(given, name) ? asText(given[name]) : at === 0 ? text : ""
  ])
  return JSON.stringify(Object.fromEntries(values))
}
