import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Audit } from "../../../src/storage/Audit.ts"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import { freshId, type It, itIs, question, race, someTime, times } from "./vocabulary.ts"

/** Everything that is kept of a chat. */
const all = (chatId: string) =>
  Effect.gen(function* () {
    return {
      session: yield* (yield* Sessions).get(chatId),
      messages: yield* (yield* Messages).page({ chatId, before: null, limit: 1000 }),
      runs: yield* (yield* Runs).ofChat(chatId, 1000),
      audit: yield* (yield* Audit).list({ objectId: chatId, limit: 1000 })
    }
  })

export const acceptingSuite = (it: It) => {
  it.effect("a first question makes its session, its audit row, its message and its run", () =>
    Effect.gen(function* () {
      yield* itIs(someTime)
      const asked = question({ clientMsgId: "m-1", session: { ip: "10.1.2.3" } })
      const { chatId, flowId } = asked.session
      const { run, fresh } = yield* (yield* Runs).accept(asked)
      expect(fresh).toBe(true)
      const now = new Date(someTime)
      expect(run).toEqual({
        id: asked.runId,
        payload: "",
        queue_rank: 0,
        chat_id: chatId,
        flow_id: flowId,
        user_id: 7,
        action: "default",
        status: "queued",
        owner: "node-1",
        client_msg_id: "m-1",
        question_id: expect.any(Number),
        partial_text: "",
        partial_reasoning: "",
        error: "",
        prompt_tokens: 0,
        completion_tokens: 0,
        create_time: now,
        start_time: null,
        end_time: null
      })
      const kept = yield* all(chatId)
      expect(kept.session).toEqual(
        Option.some({
          chat_id: chatId,
          flow_id: flowId,
          flow_type: 5,
          flow_name: "an app",
          name: "",
          user_id: 7,
          like: 0,
          dislike: 0,
          copied: 0,
          sensitive_status: 0,
          memory_floor: 0,
          create_time: now,
          update_time: now
        })
      )
      expect(kept.runs).toEqual([run])
      expect(kept.messages).toEqual([
        {
          id: run.question_id,
          is_bot: false,
          source: 0,
          type: "over",
          category: "question",
          flow_id: flowId,
          chat_id: chatId,
          user_id: 7,
          run_id: run.id,
          liked: 0,
          solved: 0,
          copied: 0,
          sensitive_status: 0,
          message: "why?",
          intermediate_steps: "",
          files: "",
          extra: "",
          remark: "",
          sender: "",
          receiver: "",
          create_time: now,
          update_time: now
        }
      ])
      expect(kept.audit).toEqual([
        {
          id: expect.any(Number),
          userId: 7,
          action: "chat.create",
          objectId: chatId,
          ip: "10.1.2.3",
          create_time: now
        }
      ])
    })
  )

  it.effect("a further question moves the session's activity time and nothing else of it", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* itIs(someTime)
      yield* runs.accept(question({ session: { chatId } }))
      yield* itIs(someTime + 1)
      yield* runs.accept(question({ session: { chatId, flowName: "renamed since" } }))
      const { session, audit, messages } = yield* all(chatId)
      expect(Option.getOrThrow(session)).toMatchObject({
        flow_name: "an app",
        create_time: new Date(someTime),
        update_time: new Date(someTime + 1)
      })
      expect(audit).toHaveLength(1)
      expect(messages).toHaveLength(2)
    })
  )

  it.effect("a question that is sent again changes nothing and answers its run as it is now", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const asked = question({ clientMsgId: "m-1" })
      const { chatId } = asked.session
      yield* itIs(someTime)
      yield* runs.accept(asked)
      yield* runs.dequeue(chatId, asked.owner)
      const before = yield* all(chatId)
      yield* itIs(someTime + 5000)
      const again = yield* runs.accept({ ...asked, runId: freshId() })
      expect(again).toMatchObject({ fresh: false, run: { id: asked.runId, status: "running" } })
      expect(yield* all(chatId)).toEqual(before)
    })
  )

  it.effect("a client's own message id means something within its chat only, and to the letter", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const first = yield* runs.accept(question({ clientMsgId: "m-a", session: { chatId } }))
      const elsewhere = yield* runs.accept(question({ clientMsgId: "m-a" }))
      const upperCase = yield* runs.accept(question({ clientMsgId: "M-A", session: { chatId } }))
      const accented = yield* runs.accept(question({ clientMsgId: "m-á", session: { chatId } }))
      const padded = yield* runs.accept(question({ clientMsgId: "m-a ", session: { chatId } }))
      const all = [first, elsewhere, upperCase, accented, padded]
      expect(all.every(({ fresh }) => fresh)).toBe(true)
      expect(yield* runs.find(chatId, "m-a")).toEqual(Option.some(first.run))
      expect(yield* runs.find(chatId, "M-A")).toEqual(Option.some(upperCase.run))
      expect(yield* runs.find(chatId, "m-b")).toEqual(Option.none())
    })
  )

  it.effect("questions without an id of their own are all different", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      yield* runs.accept(question({ session: { chatId } }))
      yield* runs.accept(question({ session: { chatId } }))
      expect(yield* runs.ofChat(chatId, 10)).toHaveLength(2)
    })
  )

  it.effect("chat ids are told apart to the letter", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const id = freshId()
      const chatIds = [`${id}a`, `${id}A`, `${id}á`, `${id}a `]
      yield* Effect.forEach(chatIds, (chatId) =>
        runs.accept(question({ session: { chatId, userId: chatIds.indexOf(chatId) } }))
      )
      for (const [userId, chatId] of chatIds.entries()) {
        const { session, messages, audit } = yield* all(chatId)
        expect(Option.getOrThrow(session)).toMatchObject({ chat_id: chatId, user_id: userId })
        expect(messages).toHaveLength(1)
        expect(audit).toHaveLength(1)
      }
    })
  )

  it.effect("a chat of another user, of another app, or a deleted one is taken, and stays as it was", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const sessions = yield* Sessions
      const chatId = freshId()
      yield* itIs(someTime)
      yield* runs.accept(question({ clientMsgId: "m-1", session: { chatId } }))
      const before = yield* all(chatId)
      yield* itIs(someTime + 5000)
      const refused = (session: object, clientMsgId: string | null) =>
        Effect.gen(function* () {
          const attempt = question({ clientMsgId, session: { chatId, ...session } })
          const error = yield* Effect.flip(runs.accept(attempt))
          expect(error).toMatchObject({ _tag: "SessionTaken", chatId })
          expect(yield* runs.get(attempt.runId)).toEqual(Option.none())
        })
      yield* refused({ userId: 8 }, null)
      yield* refused({ userId: 8 }, "m-1")
      yield* refused({ flowId: "1".repeat(32) }, null)
      expect(yield* all(chatId)).toEqual(before)
      yield* sessions.remove(chatId)
      yield* refused({}, null)
      yield* refused({}, "m-1")
      expect(yield* all(chatId)).toEqual({ ...before, session: Option.none() })
    })
  )

  it.effect("however many questions open a chat at once, it is opened once", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const accepted = yield* race(times(24, () => runs.accept(question({ session: { chatId } }))))
      expect(accepted.every(({ fresh }) => fresh)).toBe(true)
      const { session, messages, audit } = yield* all(chatId)
      expect(Option.isSome(session)).toBe(true)
      expect(audit).toHaveLength(1)
      expect(messages.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(
        accepted.map(({ run }) => run.question_id).toSorted((a, b) => a - b)
      )
    })
  )

  it.effect("however often one question arrives at once, it is accepted once", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const accepted = yield* race(
        times(24, () => runs.accept(question({ clientMsgId: "m-1", session: { chatId } })))
      )
      expect(accepted.filter(({ fresh }) => fresh)).toHaveLength(1)
      expect(new Set(accepted.map(({ run }) => run.id)).size).toBe(1)
      const kept = yield* all(chatId)
      expect(kept.messages).toHaveLength(1)
      expect(kept.runs).toHaveLength(1)
      expect(kept.audit).toHaveLength(1)
    })
  )

  it.effect("when several users claim one chat id, one of them gets it", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const chatId = freshId()
      const claims = yield* race(
        times(12, (i) => Effect.either(runs.accept(question({ session: { chatId, userId: i % 4 } }))))
      )
      const { session, messages, audit } = yield* all(chatId)
      const owner = Option.getOrThrow(session).user_id
      for (const [i, claim] of claims.entries()) {
        expect(claim._tag).toBe(i % 4 === owner ? "Right" : "Left")
        if (claim._tag === "Left") expect(claim.left).toMatchObject({ _tag: "SessionTaken", chatId })
      }
      expect(messages).toHaveLength(3)
      expect(audit).toHaveLength(1)
    })
  )

  it.effect("many chats opened at once are all there", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const asked = times(40, () => question())
      yield* race(asked.map((one) => runs.accept(one)))
      for (const { session } of asked) {
        const kept = yield* all(session.chatId)
        expect(kept.messages).toHaveLength(1)
        expect(kept.audit).toHaveLength(1)
      }
    })
  )
}
