/** An answer by a form: texts, choices and files, as the workflow's author has laid them out. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Json } from "../../../../protocol/frames.ts"
import type { GraphNode } from "../../Graph.ts"
import { isList, isRecord, JsonValue, jsonOf, textOf } from "../../json.ts"
import { type Made, type NodeBench, Optional, result } from "../../NodeType.ts"
import { text, texts } from "../../replies.ts"
import type { Reading } from "../../variables.ts"
import { maxFiles, nameIn, readFiles } from "./files.ts"
import { asked, listOf, param } from "./schema.ts"

export const Item = Schema.Struct({
  key: Schema.NonEmptyString,
  /** "text", "select" or "file"; an unknown one is a text. */
  type: Schema.String,
  /** What it is called; may refer to variables. */
  value: Optional(Schema.String),
  required: Optional(Schema.Boolean),
  /** More than one choice, or more than one file. */
  multi: Optional(Schema.Boolean),
  multiple: Optional(Schema.Boolean),
  options: Optional(
    Schema.Array(Schema.Struct({ id: Optional(Schema.String), text: Optional(Schema.String) }))
  ),
  /** Of a file: the variables' names, and the length of its text. */
  file_content: Optional(Schema.String),
  file_path: Optional(Schema.String),
  image_file: Optional(Schema.String),
  file_content_size: Optional(JsonValue),
  file_parse_mode: Optional(Schema.String)
})
type Item = typeof Item.Type

export const form = (items: ReadonlyArray<Item>, node: GraphNode, bench: NodeBench): Made => ({
  prompt: (reading) =>
    asked(node, {
      ...param(node, "form_input", "form_input"),
      value: shownItems(node.fields.get("form_input")?.["value"], reading)
    }),
  // What the form does not ask for is left alone: clients send fields of their own.
  accept: (data) =>
    Either.map(
      Either.all(items.map((item) => Either.map(itemOf(item, data), (value) => [item, value] as const))),
      (given) => ({
        values: Object.fromEntries(given.map(([item, value]) => [item.key, value])),
        text: given.map(([item, value]) => `${item.value ?? item.key}: ${shown(value)}`).join("\n")
      })
    ),
  run: ({ reading }, { values }) =>
    Effect.gen(function* () {
      const outputs = new Map<string, Json>()
      const lines: Array<string> = []
      for (const item of items) {
        const value = values[item.key] ?? ""
        const label = reading.fill(item.value ?? item.key)
        lines.push(`${label}: ${shown(value)}`)
        if (item.type !== "file") {
          outputs.set(item.key, value)
          continue
        }
        const asks = { limit: item.file_content_size ?? null, mode: item.file_parse_mode ?? "" }
        const files = yield* readFiles(listOf(value), asks, bench.documents)
        outputs.set(item.key, files.list)
        outputs.set(item.file_content ?? `${item.key}_content`, files.content)
        outputs.set(item.file_path ?? `${item.key}_path`, files.paths)
        outputs.set(item.image_file ?? `${item.key}_image`, files.images)
      }
      return result({ outputs: Object.fromEntries(outputs), said: [{ by: "human", text: lines.join("\n") }] })
    })
})

const several = (item: Item): boolean => item.multi === true || item.multiple === true

/** The person's value for one item. Left: what is wrong with it, or that it is missing. */
const itemOf = (item: Item, data: Readonly<Record<string, unknown>>): Either.Either<Json, string> => {
  const absent = data[item.key] === undefined || data[item.key] === null || data[item.key] === ""
  if (absent) {
    const nothing = item.type === "file" ? [] : ""
    return item.required === true ? Either.left(`"${item.key}" is required`) : Either.right(nothing)
  }
  switch (item.type) {
    case "file":
      return Either.filterOrLeft(
        texts(data, item.key, item.multiple === false || item.multi === false ? 1 : maxFiles),
        (files) => files.length > 0 || item.required !== true,
        () => `"${item.key}" is required`
      )
    case "select":
      return Either.flatMap(texts(data, item.key, 100), (given) => choice(item, given))
    default:
      return Either.filterOrLeft(
        text(data, item.key, "the text"),
        (value) => value.trim() !== "" || item.required !== true,
        () => `"${item.key}" is required`
      )
  }
}

/** A choice is named by its text or its id; several, in one list or apart by commas, become one text. */
const choice = (item: Item, given: ReadonlyArray<string>): Either.Either<string, string> => {
  const options = item.options ?? []
  const find = (name: string): string | undefined => {
    const found = options.find((one) => one.text === name || one.id === name)
    return found === undefined ? undefined : (found.text ?? found.id ?? "")
  }
  const names = given.flatMap((one) => (several(item) && find(one) === undefined ? one.split(",") : [one]))
  const found = names.map(find)
  const wrong = names.find((_, index) => found[index] === undefined)
  if (wrong !== undefined) {
    const known = options.map((one) => `"${one.text ?? one.id ?? ""}"`).join(", ")
    return Either.left(`"${wrong.slice(0, 60)}" is no choice of "${item.key}"; there are ${known}`)
  }
  if (found.length === 0 && item.required === true) return Either.left(`"${item.key}" is required`)
  if (found.length > 1 && !several(item)) return Either.left(`"${item.key}" takes one choice`)
  return Either.right(found.join(","))
}

const shown = (value: Json): string => (isList(value) ? listOf(value).map(nameIn).join(", ") : textOf(value))

/** The form's items as the graph has them, their names filled in. */
const shownItems = (items: unknown, reading: Reading): Json => {
  const given = jsonOf(items)
  if (!isList(given)) return []
  return given.map((item) =>
    isRecord(item) && typeof item["value"] === "string"
      ? { ...item, value: reading.fill(item["value"]) }
      : item
  )
}
