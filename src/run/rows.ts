/** A run of many questions: one row's run, and what an earlier attempt of the same run has already answered. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Answering, App } from "../app/App.ts"
import { RunFailed } from "../protocol/errors.ts"
import type { Answer, Answered, Deltas, Progress, RunEvent, Usage } from "../protocol/RunEvent.ts"
import { breakAnswer, type ChatMessage } from "../storage/rows.ts"

const decodePlace = Schema.decodeUnknownEither(
  Schema.parseJson(Schema.Struct({ row: Schema.NonNegativeInt }))
)

/** Answers by row; failed and broken ones are not among them. */
export const answeredRows = (past: ReadonlyArray<ChatMessage>): ReadonlyMap<number, string> => {
  const answered = new Map<number, string>()
  for (const message of past) {
    if (message.category !== "answer" || message.remark === breakAnswer) continue
    const place = decodePlace(message.extra)
    if (Either.isRight(place)) answered.set(place.right.row, message.message)
  }
  return answered
}

export const added = (one: Usage, other: Usage): Usage => ({
  promptTokens: one.promptTokens + other.promptTokens,
  completionTokens: one.completionTokens + other.completionTokens
})

/** Of an app that was to answer one row. */
export const noAnswer = (kind: App["kind"]) => new RunFailed({ reason: "the app gave no answer", kind })
const cannotWait = (kind: App["kind"]) =>
  new RunFailed({ reason: "this app waits for a person, which a list of questions cannot do", kind })

/**
 * One row's events: the app's own, its answer as the row's, its failure as the row's. `settled` hears how it ended
 * before that is told. Only a document that cannot be read fails all of it: every other row would say the same.
 */
export const rowEvents = (
  answering: Answering,
  kind: App["kind"],
  row: number,
  progress: Progress,
  settled: (answer: Answer | null, reason: string) => void
): Stream.Stream<RunEvent, RunFailed, Deltas> =>
  Stream.suspend(() => {
    let isAnswered = false
    const answer = (event: Answered): RunEvent => {
      isAnswered = true
      settled(event, "")
      return { ...event, _tag: "PartAnswered", row, progress }
    }
    const own = answering.pipe(
      Stream.flatMap((event): Stream.Stream<RunEvent, RunFailed> => {
        switch (event._tag) {
          case "Answered":
            return Stream.make(answer(event))
          case "Waiting":
            return Stream.fail(cannotWait(kind))
          // What ends a run, or a stop of it, is the batch's business.
          case "Finished":
          case "OnStop":
            return Stream.empty
          default:
            return Stream.make(event)
        }
      })
    )
    const ended = Stream.suspend(() => (isAnswered ? Stream.empty : Stream.fail(noAnswer(kind))))
    return Stream.concat(own, ended).pipe(
      Stream.catchAll((error) =>
        Stream.suspend((): Stream.Stream<RunEvent, RunFailed> => {
          // A complaint after the answer changes nothing about it.
          if (isAnswered) return Stream.empty
          if (error.about === "document") return Stream.fail(error)
          const { reason } = error
          settled(null, reason)
          return Stream.make<[RunEvent]>({ _tag: "PartFailed", reason, row, progress })
        })
      )
    )
  })
