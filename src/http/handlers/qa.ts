import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mayRead } from "../../account/Access.ts"
import { keywordsOf } from "../../knowledge/keywords.ts"
import { makeTraced } from "../../knowledge/traced.ts"
import { Messages } from "../../storage/Messages.ts"
import { Recalls } from "../../storage/Recalls.ts"
import { Runs } from "../../storage/Runs.ts"
import { Sessions } from "../../storage/Sessions.ts"
import { Api } from "../Api.ts"
import { ok } from "../envelope.ts"
import { notFound, notYours } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"

export const QaLive = HttpApiBuilder.group(Api, "qa", (handlers) =>
  Effect.gen(function* () {
    const messages = yield* Messages
    const sessions = yield* Sessions
    const recalls = yield* Recalls
    const runs = yield* Runs
    const traced = yield* makeTraced

    /** The message, when its chat is the caller's to read. */
    const readable = (messageId: number) =>
      Effect.gen(function* () {
        const person = yield* CurrentUser
        const message = yield* messages.get(messageId)
        if (Option.isNone(message)) return yield* notFound("message")
        const session = yield* sessions.get(message.value.chat_id)
        if (Option.isNone(session)) return yield* notFound("message")
        return mayRead(person, session.value) ? message.value : yield* notYours("chat")
      })

    const questionOf = (runId: string | null) =>
      Effect.gen(function* () {
        if (runId === null) return ""
        const run = yield* runs.get(runId)
        if (Option.isNone(run)) return ""
        const question = yield* messages.get(run.value.question_id)
        return Option.match(question, { onNone: () => "", onSome: (row) => row.message })
      })

    return handlers
      .handle("keyword", ({ urlParams }) =>
        Effect.gen(function* () {
          const answer = yield* readable(urlParams.message_id)
          const passages = yield* recalls.ofMessage(answer.id)
          return ok(
            keywordsOf(spokenText(answer.message), {
              question: yield* questionOf(answer.run_id),
              passages: passages.map(({ chunk }) => chunk)
            })
          )
        })
      )
      .handle("chunk", ({ payload }) =>
        Effect.gen(function* () {
          const { userId } = yield* CurrentUser
          const answer = yield* readable(payload.message_id)
          const keys = typeof payload.keys === "string" ? payload.keys.split(";") : (payload.keys ?? [])
          return ok(yield* traced(yield* recalls.ofMessage(answer.id), keys, userId))
        })
      )
  })
)

/** A workflow's answer is kept as an object, whose `msg` is what was said. */
const spokenText = (message: string): string => {
  if (!message.startsWith("{")) return message
  try {
    const value: unknown = JSON.parse(message)
    const isSaid = typeof value === "object" && value !== null && "msg" in value
    return isSaid && typeof value.msg === "string" ? value.msg : message
  } catch {
    return message
  }
}
