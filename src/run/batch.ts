/**
 * The action `auto_file`: files and variables go into the app's input nodes, then its preset questions are asked
 * one after the other. Each stands alone: a row that fails is told and the rest go on, unless the file itself cannot
 * be read. Sent again under the same
 * `client_msg_id`, it goes on where it broke off.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { App } from "../app/App.ts"
import type { QuestionFile } from "../app/questionFile.ts"
import { RunFailed } from "../protocol/errors.ts"
import { unwrapped } from "../protocol/eventStream.ts"
import { type Deltas, noUsage, type RunEvent, type Usage } from "../protocol/RunEvent.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Action, RunRequest } from "./Actions.ts"
import {
  type Fillings,
  filledApp,
  fillingsOf,
  formInputs,
  maxQuestions,
  readableOnly,
  spokenOf
} from "./formInputs.ts"
import { notices } from "./notices.ts"
import { added, answeredRows, rowEvents } from "./rows.ts"

const noQuestionFile: QuestionFile = () =>
  Effect.fail(
    new RunFailed({ reason: "questions cannot be read from a file here; send them as a list", kind: "skill" })
  )

/** The gathered answers at most, in characters; later ones are then only named. */
const maxGathered = 1024 * 1024

type Events = Stream.Stream<RunEvent, RunFailed | StorageError, Deltas>

const notice = (text: string, next: boolean): RunEvent => ({ _tag: "Notice", text, next })

export const makeBatch = (questionFile: QuestionFile): Action => ({
  continues: true,
  question: (inputs, app) =>
    Option.getOrNull(
      Option.map(
        formInputs(inputs),
        (given) => spokenOf(given) ?? app.form?.questions[0]?.texts[0] ?? "start"
      )
    ),
  run: (request) =>
    unwrapped(
      Effect.gen(function* () {
        const given = yield* Option.match(formInputs(request.inputs), {
          onNone: () =>
            Effect.fail(new RunFailed({ reason: "the inputs are not understood", kind: request.app.kind })),
          onSome: Effect.succeed
        })
        const fillings = yield* fillingsOf(request.app, given)
        yield* readableOnly(fillings, request)
        const hasFile = Object.keys(fillings.values.files).length + fillings.questionFiles.size > 0
        return Stream.concat(
          Stream.make(notice(hasFile ? notices.fileReceived : notices.valuesReceived, true)),
          unwrapped(
            Effect.gen(function* () {
              const app = yield* filledApp(request.app, fillings)
              const questions = yield* questionsOf(app, fillings, given.questions, questionFile)
              return asked(request, app, questions)
            })
          )
        )
      })
    )
})

/** `auto_file` where questions come as a list only. */
export const batch: Action = makeBatch(noQuestionFile)

/** Those that the client names, else those of the input nodes, each node's own where it was given none. */
const questionsOf = (
  app: App,
  { questions, questionFiles }: Fillings,
  named: ReadonlyArray<string>,
  questionFile: QuestionFile
): Effect.Effect<ReadonlyArray<string>, RunFailed> =>
  Effect.gen(function* () {
    const ofNodes = yield* Effect.forEach(app.form?.questions ?? [], ({ nodeId, texts }) => {
      const file = questionFiles.get(nodeId)
      return file === undefined ? Effect.succeed(questions.get(nodeId) ?? texts) : questionFile(file)
    })
    const all = (named.length > 0 ? named : ofNodes.flat()).filter((text) => text.trim() !== "")
    if (all.length > maxQuestions) {
      const reason = `these are ${all.length} questions; at most ${maxQuestions} can be asked at once`
      return yield* new RunFailed({ reason, kind: app.kind })
    }
    return all
  })

const asked = (request: RunRequest, app: App, questions: ReadonlyArray<string>): Events => {
  if (app.form?.takesQuestion === false) {
    const once = app.answer({ text: "start", inputs: {}, userId: request.userId, history: [] })
    return Stream.concat(Stream.make(notice(notices.noUserInput, true)), once)
  }
  if (questions.length === 0) {
    return Stream.make(notice(notices.parsed, false), finished(noUsage))
  }
  return unwrapped(
    Effect.map(request.past, (past) => {
      const answered = answeredRows(past)
      return allRows(request.userId, app, questions, answered)
    })
  )
}

const finished = (usage: Usage): RunEvent => ({ _tag: "Finished", usage })

const allRows = (
  userId: number,
  app: App,
  questions: ReadonlyArray<string>,
  answered: ReadonlyMap<number, string>
): Events =>
  Stream.suspend(() => {
    const total = questions.length
    const gathered = new Gathering(answered)
    const open = [...questions.entries()].filter(([row]) => !answered.has(row))
    let usage = noUsage
    let done = total - open.length
    const rows = Stream.fromIterable(open).pipe(
      Stream.rechunk(1),
      Stream.flatMap(([row, text]): Stream.Stream<RunEvent, RunFailed, Deltas> => {
        const progress = { done, total }
        const answering = app.answer({ text, inputs: { [app.inputKey]: text }, userId, history: [] })
        const settled = rowEvents(answering, app.kind, row, progress, (answer, reason) => {
          done += 1
          if (answer !== null) usage = added(usage, answer.usage)
          gathered.add(row, answer === null ? reason : answer.text)
        })
        return Stream.concat(Stream.make<[RunEvent]>({ _tag: "Asked", text, row, progress }), settled)
      })
    )
    const end = Stream.suspend(() =>
      Stream.fromIterable<RunEvent>([
        ...(total > 1 ? [{ _tag: "Gathered" as const, text: gathered.text(questions) }] : []),
        finished(usage)
      ])
    )
    return Stream.concat(rows, end)
  })

/** The answers by row, as far as they fit into one bubble. */
class Gathering {
  private readonly answers = new Map<number, string>()
  private room = maxGathered

  constructor(answered: ReadonlyMap<number, string>) {
    for (const [row, text] of answered) this.add(row, text)
  }

  add(row: number, text: string): void {
    this.answers.set(row, text.length <= this.room ? text : `${text.slice(0, this.room)}…`)
    this.room = Math.max(0, this.room - text.length)
  }

  text(questions: ReadonlyArray<string>): string {
    return questions.map((question, row) => `### ${question} \n ${this.answers.get(row) ?? ""} \n `).join("")
  }
}
