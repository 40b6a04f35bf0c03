/** What skills are built with in tests: a scripted model, documents by id, and a search by shared words. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { App, Question } from "../../../src/app/App.ts"
import { buildSkill, type SkillBench } from "../../../src/app/skill/Skill.ts"
import { calculator } from "../../../src/app/tools/calculator.ts"
import { type Doc, DocumentFailed } from "../../../src/knowledge/Documents.ts"
import type { LanguageModelService } from "../../../src/model/LanguageModel.ts"
import { Deltas, type Passage, type RunEvent } from "../../../src/protocol/RunEvent.ts"
import { skillRecord } from "../graphs.ts"
import { makeTranscript, scriptedModel, type Turn } from "../scriptedModel.ts"

export const doc = (text: string, more: Partial<Doc> = {}): Doc => ({
  text,
  fileId: "f".repeat(32),
  fileName: "guide.pdf",
  page: 1,
  boxes: [],
  url: null,
  heading: "",
  ...more
})

const passageOf = ({ text, fileId, fileName, page, boxes, url }: Doc, score: number): Passage => ({
  text,
  fileId,
  fileName,
  page,
  score,
  boxes,
  ...(url === null ? {} : { url })
})

const wordsOf = (text: string) => new Set(text.toLowerCase().match(/\p{L}{3,}/gu) ?? [])

export interface BenchOptions {
  readonly files?: Readonly<Record<string, ReadonlyArray<Doc>>>
  readonly pages?: Readonly<Record<string, ReadonlyArray<Doc>>>
  readonly library?: ReadonlyArray<Doc>
}

export const makeBench = (model: LanguageModelService, options: BenchOptions = {}) => {
  /** What was read, indexed and searched, in order. */
  const log: Array<string> = []
  const read = (from: Readonly<Record<string, ReadonlyArray<Doc>>> | undefined, key: string) =>
    Effect.suspend(() => {
      log.push(`read ${key}`)
      const docs = from !== undefined && Object.hasOwn(from, key) ? from[key] : undefined
      return docs === undefined
        ? Effect.fail(new DocumentFailed({ reason: `there is no document "${key}"` }))
        : Effect.zipRight(Effect.yieldNow(), Effect.succeed(docs))
    })
  const bench: SkillBench = {
    model,
    tools: new Map([["calculator", Effect.runSync(calculator)]]),
    library: {
      search: ({ text, flowId, userId, limit }) =>
        Effect.sync(() => {
          log.push(`library ${flowId.slice(0, 2)} ${userId} ${limit} ${text}`)
          return (options.library ?? []).slice(0, limit).map((one) => passageOf(one, 1))
        })
    },
    documents: { load: (id) => read(options.files, id), fetch: (url) => read(options.pages, url) },
    retrieval: {
      index: (docs) =>
        Effect.sync(() => {
          log.push(`index ${docs.length}`)
          return {
            search: (question, limit) =>
              Effect.sync(() => {
                log.push(`search ${limit} ${question}`)
                const wanted = wordsOf(question)
                return docs
                  .map((one) =>
                    passageOf(one, [...wordsOf(one.text)].filter((word) => wanted.has(word)).length)
                  )
                  .filter(({ score }) => score > 0)
                  .sort((one, other) => other.score - one.score)
                  .slice(0, limit)
              })
          }
        })
    }
  }
  return { bench, log }
}

export interface Given extends BenchOptions {
  readonly turns?: ReadonlyArray<Turn>
}

/** A built skill, the model behind it, and what it did. */
export const skill = (data: unknown, { turns = [], ...options }: Given = {}) =>
  Effect.gen(function* () {
    const model = scriptedModel(...turns)
    const { bench, log } = makeBench(model.service, options)
    const app = yield* buildSkill(skillRecord(data), bench)
    return { app, model, log }
  })

export const question = (text: string, more: Partial<Question> = {}): Question => ({
  text,
  inputs: {},
  userId: 7,
  history: [],
  ...more
})

/** One run to its end: its events, and what streamed in between, in one list. */
export const run = (app: Pick<App, "answer">, asked: Question) =>
  Effect.gen(function* () {
    const transcript = makeTranscript()
    const exit = yield* app.answer(asked).pipe(
      Stream.tap((event) => Effect.sync(() => transcript.lines.push(lineOf(event)))),
      Stream.runCollect,
      Effect.provideService(Deltas, transcript.sink),
      Effect.exit
    )
    const events = Exit.isSuccess(exit) ? [...exit.value] : []
    return { exit, events, lines: transcript.lines, last: events.at(-1) }
  })

const lineOf = (event: RunEvent): string => {
  switch (event._tag) {
    case "Step":
      return `Step ${event.text}`
    case "Answered":
      return `Answered ${event.text}`
    default:
      return event._tag
  }
}
