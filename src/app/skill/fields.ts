/** How the editor saves values: numbers now and then as text, lists as text or as JSON, "" for none. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

export const LooseNumber = Schema.Union(Schema.Number, Schema.Literal(""), Schema.NumberFromString)

export const LooseBoolean = Schema.Union(Schema.Boolean, Schema.Literal("", "true", "false", "True", "False"))

/** One of a list of options is saved as text, or as a list with the text in it. */
export const LooseText = Schema.Union(Schema.String, Schema.Array(Schema.String))

export const numberOr = <A>(value: number | string | null | undefined, fallback: A): number | A =>
  typeof value === "number" && Number.isFinite(value) ? value : fallback

export const booleanOr = (value: boolean | string | null | undefined, fallback: boolean): boolean => {
  if (typeof value === "boolean") return value
  return value === undefined || value === null || value === "" ? fallback : value.toLowerCase() === "true"
}

export const firstText = (value: string | ReadonlyArray<string> | null | undefined): string =>
  (typeof value === "string" ? value : (value?.[0] ?? "")).trim()

const decodeList = Schema.decodeUnknownEither(Schema.parseJson(Schema.Array(Schema.String)))

/** A list, a JSON list as text, or one value. Empty values are left out. */
export const textList = (value: string | ReadonlyArray<string> | null | undefined): ReadonlyArray<string> => {
  if (value === undefined || value === null) return []
  const all = typeof value === "string" ? Either.getOrElse(decodeList(value), () => [value]) : value
  return all.map((text) => text.trim()).filter((text) => text !== "")
}
