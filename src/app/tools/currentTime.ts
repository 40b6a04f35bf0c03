/** The date and time of now, for models that otherwise live in the year they were trained. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ToolFailed } from "../Tool.ts"
import { defineTool } from "./defineTool.ts"

const Arguments = Schema.Struct({
  timezone: Schema.optional(
    Schema.NullOr(Schema.String.pipe(Schema.maxLength(64))).annotations({
      description: 'An IANA time zone such as "Asia/Shanghai" or "UTC". Left out: the server\'s own.'
    })
  )
})

const zoneOf = (name: string): Effect.Effect<DateTime.TimeZone, ToolFailed> => {
  if (name === "") return Effect.succeed(DateTime.zoneMakeLocal())
  return Option.match(DateTime.zoneMakeNamed(name), {
    onNone: () =>
      Effect.fail(
        new ToolFailed({ reason: `unknown time zone "${name}"; use an IANA name such as "Asia/Shanghai"` })
      ),
    onSome: (zone) => Effect.succeed<DateTime.TimeZone>(zone)
  })
}

const two = (n: number): string => String(Math.trunc(n)).padStart(2, "0")

const offset = (milliseconds: number): string => {
  const minutes = Math.abs(milliseconds) / 60_000
  return `UTC${milliseconds < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`
}

/** `2026-11-23 08:12:03 Monday, Asia/Shanghai (UTC+08:00)` */
const inWords = (now: DateTime.Zoned): string => {
  const { year, month, day, hours, minutes, seconds } = DateTime.toParts(now)
  const weekday = DateTime.format(now, { locale: "en-US", weekday: "long" })
  const zone = `${DateTime.zoneToString(now.zone)} (${offset(DateTime.zonedOffset(now))})`
  return `${year}-${two(month)}-${two(day)} ${two(hours)}:${two(minutes)}:${two(seconds)} ${weekday}, ${zone}`
}

export const currentTime = Effect.succeed(
  defineTool({
    name: "current_time",
    description: "Tells the current date, time and weekday, in a time zone if one is given.",
    category: "tool",
    arguments: Arguments,
    run: ({ timezone }) =>
      Effect.gen(function* () {
        const zone = yield* zoneOf((timezone ?? "").trim())
        const now = yield* DateTime.now
        return { output: inWords(DateTime.setZone(now, zone)), passages: [] }
      })
  })
)
