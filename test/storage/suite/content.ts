import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Flows } from "../../../src/storage/Flows.ts"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import { answer, app, done, freshId, type It, itIs, question } from "./vocabulary.ts"

const awkward: Readonly<Record<string, string>> = {
  "characters beyond the basic plane": "𝕮olloquy 👩‍👩‍👧‍👦 𠜎 ‮txet‬",
  "Chinese and combining marks": "会话模块 é é Å Å",
  "quotes and statements": `'; DROP TABLE chat_message; -- " \` \\ \\' %_ ?? :id $1 /* */ \u0000 end`,
  "line ends and blanks": "  a\r\n\tb\n\n ",
  "the empty text": "",
  "a megabyte": "ab∂🌊".repeat(140_000)
}

export const contentSuite = (it: It) => {
  for (const [what, text] of Object.entries(awkward)) {
    it.effect(`${what} come back as they went in`, () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const messages = yield* Messages
        const { run } = yield* runs.accept(question({ question: { message: text } }))
        yield* runs.checkpoint([{ runId: run.id, text, reasoning: text }])
        const partial = Option.getOrThrow(yield* runs.get(run.id))
        expect(partial.partial_text === text && partial.partial_reasoning === text).toBe(true)
        const ids = yield* runs.finish(
          run.id,
          done(answer(text, { intermediate_steps: text, extra: text, files: text, receiver: text }))
        )
        for (const id of [run.question_id, ...ids]) {
          const kept = Option.getOrThrow(yield* messages.get(id))
          expect(kept.message === text).toBe(true)
        }
        const kept = Option.getOrThrow(yield* messages.get(ids[0] ?? 0))
        const { intermediate_steps, extra, files, receiver } = kept
        expect([intermediate_steps, extra, files, receiver].every((other) => other === text)).toBe(true)
      })
    )
  }

  it.effect("text that looks like SQL finds nothing but itself", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const messages = yield* Messages
      const chatId = `${freshId()}' OR '1'='1`
      expect(yield* messages.page({ chatId, before: null, limit: 10 })).toEqual([])
      expect(yield* runs.unfinished("' OR '1'='1")).toEqual([])
      const { run } = yield* runs.accept(question({ session: { chatId } }))
      const page = yield* messages.page({ chatId, before: null, limit: 10 })
      expect(page.map(({ id }) => id)).toEqual([run.question_id])
    })
  )

  it.effect("an app's data may hold any JSON, under any key", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      const data: unknown = JSON.parse(
        '{"__proto__":{"admin":true},"constructor":{"prototype":1},"toString":null,"":[1.5,-0.1,1e21,"💡",[[]]]}'
      )
      const created = yield* flows.create(app({ data }))
      const kept = Option.getOrThrow(yield* flows.get(created.id))
      expect(JSON.stringify(kept.data)).toBe(JSON.stringify(data))
      expect(JSON.stringify(created.data)).toBe(JSON.stringify(data))
      expect(kept).not.toHaveProperty("admin")
    })
  )

  it.effect("an app's data may be a bare value", () =>
    Effect.gen(function* () {
      const flows = yield* Flows
      for (const data of [null, 0, "", false, []]) {
        const { id } = yield* flows.create(app({ data }))
        expect(Option.getOrThrow(yield* flows.get(id)).data).toEqual(data)
      }
    })
  )

  it.effect("numbers up to 2^53 - 1 are kept exactly", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const sessions = yield* Sessions
      const userId = Number.MAX_SAFE_INTEGER
      const asked = question({ session: { userId } })
      const { chatId } = asked.session
      yield* runs.accept(asked)
      expect(Option.getOrThrow(yield* sessions.get(chatId)).user_id).toBe(userId)
      const off = yield* Effect.flip(runs.accept(question({ session: { chatId, userId: userId - 1 } })))
      expect(off._tag).toBe("SessionTaken")
      yield* runs.finish(asked.runId, { ...done(), promptTokens: 5_000_000_000, completionTokens: userId })
      expect(Option.getOrThrow(yield* runs.get(asked.runId))).toMatchObject({
        prompt_tokens: 5_000_000_000,
        completion_tokens: userId
      })
    })
  )

  it.effect("times are kept to the millisecond, in UTC, in winter and in summer", () =>
    Effect.gen(function* () {
      const runs = yield* Runs
      for (const time of [
        "2026-01-15T00:00:00.001Z",
        "2026-03-29T01:30:00.999Z",
        "2026-07-15T23:59:59.990Z"
      ]) {
        yield* itIs(Date.parse(time))
        const { run } = yield* runs.accept(question())
        expect(Option.getOrThrow(yield* runs.get(run.id)).create_time.toISOString()).toBe(time)
      }
    })
  )
}
