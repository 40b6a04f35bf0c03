/** Remote apps for tests: a record, a built app, and all that a question to it comes to. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { App, Question } from "../../../src/app/App.ts"
import { buildRemote } from "../../../src/app/remote/Remote.ts"
import { Deltas } from "../../../src/protocol/RunEvent.ts"
import type { Flow } from "../../../src/storage/rows.ts"
import { makeTranscript } from "../scriptedModel.ts"

export const remoteRecord = (data: unknown): Flow => ({
  id: "e".repeat(32),
  name: "Remote",
  description: "",
  flow_type: 100,
  status: 2,
  user_id: 1,
  data,
  version_id: 1,
  create_time: new Date(0),
  update_time: new Date(0)
})

export const remote = (data: unknown, ...webHosts: ReadonlyArray<string>) =>
  buildRemote(remoteRecord(data), { webHosts })

export const question = (text: string, history: Question["history"] = []): Question => ({
  text,
  inputs: {},
  userId: 7,
  history
})

/** In order: what streamed and what was told; ids are named by their turn. At last, why it failed. */
export const linesOf = (app: App, asked: Question) =>
  Effect.gen(function* () {
    const { lines, sink } = makeTranscript()
    const ended = yield* Stream.runForEach(app.answer(asked), (event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "TextDelta":
            return void lines.push(`text ${event.text}`)
          case "ReasoningDelta":
            return void lines.push(`reasoning ${event.text}`)
          case "Step":
            return void lines.push(`step ${event.text}`)
          case "ToolStarted":
            return void lines.push(`tool ${event.callId} ${event.name} ${event.input}`)
          case "ToolEnded":
            return void lines.push(`brought ${event.output}`)
          case "Answered":
            return void lines.push(`answer ${event.text}`)
          default:
            return void lines.push(event._tag)
        }
      })
    ).pipe(Effect.provideService(Deltas, sink), Effect.either)
    if (Either.isLeft(ended)) lines.push(`${ended.left.kind} failed: ${ended.left.reason}`)
    return lines
  })
