/**
 * The action `report`: the app's sections are answered, a few at a time and told in their order, then its template
 * is filled with them. Stopped midway, the document is made of what is there.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { App, Report, ReportSection } from "../app/App.ts"
import type { ReportMakerService } from "../app/report/ReportMaker.ts"
import { RunFailed } from "../protocol/errors.ts"
import { unwrapped } from "../protocol/eventStream.ts"
import {
  type Answered,
  Deltas,
  type FileMade,
  noUsage,
  type RunEvent,
  silent,
  type Told
} from "../protocol/RunEvent.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Action, RunRequest } from "./Actions.ts"
import { filledApp, fillingsOf, formInputs, readableOnly, spokenOf } from "./formInputs.ts"
import { notices } from "./notices.ts"
import { added, answeredRows, noAnswer } from "./rows.ts"

/** Sections that are answered at the same time. */
const together = 3

type Events = Stream.Stream<RunEvent, RunFailed | StorageError, Deltas>

export const makeReport = (maker: ReportMakerService): Action => ({
  continues: true,
  question: (inputs, app) =>
    Option.getOrNull(
      Option.map(formInputs(inputs), (given) => spokenOf(given) ?? app.report?.name ?? app.name)
    ),
  run: (request) =>
    unwrapped(
      Effect.gen(function* () {
        const fail = (reason: string) => new RunFailed({ reason, kind: request.app.kind })
        if (request.app.report === undefined) {
          return yield* fail("this app writes no report: its graph has no report node")
        }
        const given = Option.getOrNull(formInputs(request.inputs))
        if (given === null) return yield* fail("the inputs are not understood")
        const fillings = yield* fillingsOf(request.app, given)
        yield* readableOnly(fillings, request)
        const hasFile = Object.keys(fillings.values.files).length > 0
        const started: ReadonlyArray<RunEvent> = hasFile
          ? [{ _tag: "Notice", text: notices.fileReceived, next: true }]
          : []
        const written = Effect.gen(function* () {
          const app = yield* filledApp(request.app, fillings)
          if (app.report === undefined) return yield* fail("this app writes no report")
          const answered = answeredRows(yield* request.past)
          const text = hasFile ? notices.parsedAndWriting : notices.writing
          const told: RunEvent = { _tag: "Notice", text, next: false }
          return Stream.concat(Stream.make(told), writing(maker, request, app, app.report, answered))
        })
        return Stream.concat(Stream.fromIterable(started), unwrapped(written))
      })
    )
})

const writing = (
  maker: ReportMakerService,
  request: RunRequest,
  app: App,
  report: Report,
  answered: ReadonlyMap<number, string>
): Events =>
  Stream.suspend(() => {
    const total = report.sections.length
    const draft = new Draft(report, answered)
    let usage = noUsage
    let isMade = false

    const make: Effect.Effect<FileMade, RunFailed> = Effect.suspend(() =>
      maker.make({
        flowId: app.flowId,
        userId: request.userId,
        chatId: request.chatId,
        name: report.name,
        ...draft.content
      })
    ).pipe(Effect.map((made): FileMade => ({ _tag: "FileMade", ...made })))

    const onStop = Stream.suspend((): Stream.Stream<Told, RunFailed> => {
      if (isMade) return Stream.empty
      const divider: Told = { _tag: "Divider", text: notices.stopped }
      return Stream.concat(Stream.make(divider), Stream.fromEffect(make))
    })

    const open = [...report.sections.entries()].filter(([row]) => !answered.has(row))
    const sections = Stream.fromIterable(open).pipe(
      Stream.mapEffect(
        ([row, section]) =>
          Effect.map(Effect.either(answerOf(app, section, request.userId)), (result) => ({
            row,
            section,
            result
          })),
        { concurrency: together }
      ),
      Stream.mapConcat(({ row, section, result }): ReadonlyArray<RunEvent> => {
        const progress = { done: draft.settled, total }
        draft.add(row, result)
        if (Either.isRight(result)) usage = added(usage, result.right.usage)
        return [
          { _tag: "Asked", text: section.question, row, progress },
          Either.isRight(result)
            ? { ...result.right, _tag: "PartAnswered", row, progress }
            : { _tag: "PartFailed", reason: result.left.reason, row, progress }
        ]
      })
    )

    const file = unwrapped(
      Effect.sync(() => {
        const failure = draft.onlyFailure
        if (failure !== null) return Stream.fail(failure)
        return Stream.fromEffect(Effect.tap(make, () => Effect.sync(() => (isMade = true))))
      })
    )
    const end = Stream.sync((): RunEvent => ({ _tag: "Finished", usage }))
    const stop: RunEvent = { _tag: "OnStop", events: onStop }
    return Stream.make(stop).pipe(Stream.concat(sections), Stream.concat(file), Stream.concat(end))
  })

/** A section's whole answer. What streams of it is not shown: several are written at once. */
const answerOf = (app: App, section: ReportSection, userId: number): Effect.Effect<Answered, RunFailed> =>
  section
    .answer({ text: section.question, inputs: { [app.inputKey]: section.question }, userId, history: [] })
    .pipe(
      Stream.runFold(Option.none<Answered>(), (found, event) =>
        event._tag === "Answered" ? Option.some(event) : found
      ),
      Effect.provideService(Deltas, silent),
      Effect.flatMap(Option.match({ onNone: () => Effect.fail(noAnswer(app.kind)), onSome: Effect.succeed }))
    )

/** What there is of the document so far. */
class Draft {
  private readonly report: Report
  private readonly texts: Map<number, string>
  private readonly failures = new Map<number, RunFailed>()

  constructor(report: Report, answered: ReadonlyMap<number, string>) {
    this.report = report
    this.texts = new Map(answered)
  }

  get settled(): number {
    return this.texts.size + this.failures.size
  }

  add(row: number, result: Either.Either<Answered, RunFailed>): void {
    if (Either.isRight(result)) this.texts.set(row, result.right.text)
    else this.failures.set(row, result.left)
  }

  /** Why there is nothing to write; null where anything is. */
  get onlyFailure(): RunFailed | null {
    const [first] = this.failures.values()
    return this.texts.size > 0 || first === undefined ? null : first
  }

  get content() {
    const values = new Map<string, string>(Object.entries(this.report.variables))
    for (const [row, { keys }] of this.report.sections.entries()) {
      const text = this.texts.get(row)
      // Of several sections with one name, the first has it.
      if (text !== undefined) for (const key of keys) if (!values.has(key)) values.set(key, text)
    }
    const sections = this.report.sections.flatMap(({ question: title }, row) => {
      const text = this.texts.get(row) ?? (this.failures.has(row) ? "—" : undefined)
      return text === undefined ? [] : [{ title, text }]
    })
    return { values: Object.fromEntries(values), sections }
  }
}
