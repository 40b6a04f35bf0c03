/** JSON values of a workflow: in its variables, its messages and the state of a run that waits. */
import * as Schema from "effect/Schema"
import type { Json } from "../../protocol/frames.ts"

export const JsonValue: Schema.Schema<Json> = Schema.suspend(() =>
  Schema.Union(
    Schema.String,
    Schema.Number,
    Schema.Boolean,
    Schema.Null,
    Schema.Array(JsonValue),
    Schema.Record({ key: Schema.String, value: JsonValue })
  )
)

export const isJson = Schema.is(JsonValue)

/** What a graph says, which came from JSON; anything else counts as nothing. */
export const jsonOf = (value: unknown): Json => (isJson(value) ? value : null)

/** How a value stands in a text: text as it is, nothing as "", the rest as JSON. */
export const textOf = (value: Json | undefined): string => {
  if (typeof value === "string") return value
  if (value === undefined || value === null) return ""
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value)
}

export const isList = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value)

export const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !isList(value)
