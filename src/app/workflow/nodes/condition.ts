/** Goes on by the first case that holds, or by the default way. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { compare, isOperator } from "../compare.ts"
import { rightHandle } from "../Graph.ts"
import { JsonValue, textOf } from "../json.ts"
import { defineNode, type LogEntry, Optional, result } from "../NodeType.ts"
import type { Reading } from "../variables.ts"

const Condition = Schema.Struct({
  left_var: Schema.String,
  comparison_operation: Schema.String.pipe(
    Schema.filter(
      (name) => isOperator(name) || `is no comparison that this server knows: "${name.slice(0, 60)}"`
    )
  ),
  /** "ref": the right side is a variable. */
  right_value_type: Optional(Schema.String),
  right_value: Optional(JsonValue)
})

const Case = Schema.Struct({
  id: Schema.String,
  operator: Optional(Schema.Literal("and", "or")),
  conditions: Optional(Schema.Array(Condition))
})

const Fields = Schema.Struct({ condition: Optional(Schema.Array(Case)) })

export const condition = defineNode({
  types: ["condition"],
  fields: Fields,
  make: ({ condition: cases }) => ({
    run: ({ reading }) =>
      Effect.sync(() => {
        const log: Array<LogEntry> = []
        const met = (cases ?? []).find((one) => holds(one, reading, log))
        return result({ handle: met?.id ?? rightHandle, log: [log] })
      })
  })
})

/** A case without conditions always holds. */
const holds = (
  { conditions, operator }: typeof Case.Type,
  reading: Reading,
  log: Array<LogEntry>
): boolean => {
  const all = conditions ?? []
  const one = (each: typeof Condition.Type): boolean => compared(each, reading, log)
  if (all.length === 0) return true
  return operator === "or" ? all.some(one) : all.every(one)
}

const compared = (one: typeof Condition.Type, reading: Reading, log: Array<LogEntry>): boolean => {
  const left = reading.text(one.left_var)
  log.push({ key: one.left_var, value: left, type: "variable" })
  const given = textOf(one.right_value ?? "")
  const isReference = one.right_value_type === "ref" && given !== ""
  const right = isReference ? reading.text(given) : given
  if (isReference) log.push({ key: given, value: right, type: "variable" })
  const { holds, trouble } = compare(one.comparison_operation, left, right)
  if (trouble !== undefined) log.push({ key: one.comparison_operation, value: trouble, type: "params" })
  return holds
}
