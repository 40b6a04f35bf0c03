/** Where a workflow begins: it greets, and makes what every node may refer to. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Json } from "../../../protocol/frames.ts"
import { JsonValue } from "../json.ts"
import { defineNode, Optional, result } from "../NodeType.ts"

/** A value that the author of the workflow has set; its key names it. */
const Preset = Schema.Struct({ key: Schema.String, value: Optional(JsonValue) })

const Fields = Schema.Struct({
  guide_word: Optional(Schema.String),
  guide_question: Optional(Schema.Array(Schema.String)),
  /** How many of the last messages `chat_history` stands for. */
  chat_history: Optional(JsonValue),
  /** Older graphs list plain texts. */
  preset_question: Optional(Schema.Array(Schema.Union(Preset, Schema.String))),
  custom_variables: Optional(Schema.Array(Preset))
})

/** The server's own. Costly to make, and always the same. */
const local = DateTime.zoneMakeLocal()

/** As many questions are shown; of more, some are drawn by lot. */
const maxQuestions = 3

export const start = defineNode({
  types: ["start"],
  fields: Fields,
  make: (fields) => ({
    run: ({ tell, userId }) =>
      Effect.gen(function* () {
        const word = fields.guide_word ?? ""
        const all = (fields.guide_question ?? []).filter((question) => question.trim() !== "")
        const questions =
          all.length <= maxQuestions ? all : [...(yield* Random.shuffle(all))].slice(0, maxQuestions)
        if (word.trim() !== "" || questions.length > 0) yield* tell({ _tag: "Guide", word, questions })
        const now = DateTime.setZone(yield* DateTime.now, local)
        const count = Number(fields.chat_history ?? 10)
        return result({
          outputs: {
            current_time: inDigits(now),
            chat_history: Number.isInteger(count) && count >= 0 ? count : 10,
            preset_question: presets(fields.preset_question ?? []),
            custom_variables: presets(fields.custom_variables ?? []),
            user_info: JSON.stringify({ user_id: userId })
          }
        })
      })
  })
})

const presets = (list: ReadonlyArray<typeof Preset.Type | string>): Json =>
  Object.fromEntries(
    list.map((one, index) => (typeof one === "string" ? [String(index), one] : [one.key, one.value ?? ""]))
  )

/** 2026-01-31 09:05:00 */
const inDigits = (now: DateTime.Zoned): string => {
  const { year, month, day, hours, minutes, seconds } = DateTime.toParts(now)
  const two = (digits: number): string => String(digits).padStart(2, "0")
  return `${year}-${two(month)}-${two(day)} ${two(hours)}:${two(minutes)}:${two(seconds)}`
}
