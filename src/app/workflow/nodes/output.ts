/** Tells the person something, and may ask for a text or a choice. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { NodeBubble, Passage } from "../../../protocol/RunEvent.ts"
import { JsonValue, jsonOf, textOf } from "../json.ts"
import { defineNode, Optional, result } from "../NodeType.ts"
import { passagesOf } from "../passages.ts"
import { text } from "../replies.ts"
import { type Reading, referencesIn } from "../variables.ts"

const Message = Schema.Struct({
  msg: Optional(Schema.String),
  files: Optional(Schema.Array(JsonValue))
})

const Fields = Schema.Struct({
  message: Optional(Message),
  /** What older graphs call the message. */
  output_msg: Optional(Message),
  output_result: Optional(
    Schema.Struct({
      /** "": nothing is asked. */
      type: Optional(Schema.Literal("", "input", "choose")),
      /** The text that the person may begin with. */
      value: Optional(JsonValue)
    })
  )
})

/** A choice; its id is the way out that it leads to. */
const Options = Schema.Array(Schema.Struct({ id: Schema.String, label: Optional(Schema.String) }))

const decodeOptions = Schema.decodeUnknownEither(Options)

const bubbles: Readonly<Record<"" | "input" | "choose", NodeBubble>> = {
  "": "output_msg",
  input: "output_with_input_msg",
  choose: "output_with_choose_msg"
}

const resultKey = "output_result"

export const output = defineNode({
  types: ["output"],
  fields: Fields,
  make: (fields, node) => {
    const message = fields.message ?? fields.output_msg
    const asks = fields.output_result?.type ?? ""
    const given = jsonOf(node.fields.get(resultKey)?.["options"])
    const options = Either.getOrElse(decodeOptions(given), () => [])
    const template = message?.msg ?? ""
    return {
      accept: (data) => {
        if (asks === "") return Either.left("it asks nothing")
        return Either.flatMap(text(data, resultKey, "the answer"), (value) => {
          if (asks === "input") {
            return value.trim() === ""
              ? Either.left("the answer is empty")
              : Either.right({ values: { [resultKey]: value }, text: value })
          }
          const chosen = options.find(({ id }) => id === value)
          return chosen === undefined
            ? Either.left(
                `"${value.slice(0, 60)}" is none of its choices: ${options.map(({ id, label }) => `"${id}" (${label ?? ""})`).join(", ")}`
              )
            : Either.right({ values: { [resultKey]: chosen.id }, text: chosen.label ?? chosen.id })
        })
      },
      run: ({ run, reading, tell }) =>
        Effect.gen(function* () {
          const msg = reading.fill(template)
          const passages = sourcesOf(template, reading)
          yield* tell({
            _tag: "NodeSaid",
            category: bubbles[asks],
            message: {
              unique_id: run.uniqueId,
              node_id: run.nodeId,
              name: run.name,
              msg,
              output_key: "",
              ...(asks === "" ? {} : { key: resultKey }),
              ...(asks === "input"
                ? { input_msg: reading.fill(textOf(fields.output_result?.value ?? "")) }
                : {}),
              ...(asks === "choose" ? { options: given } : {})
            },
            files: message?.files ?? [],
            source: passages.length > 0 ? 1 : 0,
            passages
          })
          return result({
            outputs: { message: msg },
            said: msg === "" ? [] : [{ by: "ai", text: msg }],
            log: [[{ key: "output_msg", value: msg, type: "params" }]],
            waits: asks !== ""
          })
        }),
      proceed: ({ values, text: said }) => ({
        outputs: values,
        handle: asks === "choose" ? textOf(values[resultKey]) : null,
        said: [{ by: "human", text: said }]
      })
    }
  }
})

/** What the retrievers that the message refers to have found. */
const sourcesOf = (template: string, reading: Reading): ReadonlyArray<Passage> =>
  [...new Set(referencesIn(template).map((reference) => reference.split(".")[0] ?? ""))].flatMap((node) =>
    passagesOf(reading.all[node])
  )
