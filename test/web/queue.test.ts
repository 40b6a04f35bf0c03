import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Locator } from "playwright-core"
import type { Visitor as Player } from "../client/ScriptedServer.ts"
import * as wire from "../client/wire.ts"
import { Browsing, openTab, Playground, type Visitor, visit, words } from "./playground.ts"
import { appOf, Stage } from "./Stage.ts"

const skill = "Chat Talk with the model"

/** An answer that lasts until it is stopped. */
const long = "tokens=2000 delay=25"

const queueOf = ({ page }: Visitor): Locator => page.getByRole("region", { name: /^Waiting for/ })

/** What the list shows, once it shows so many. */
const waiting = async (visitor: Visitor, count: number): Promise<ReadonlyArray<string>> => {
  const items = queueOf(visitor).getByRole("listitem")
  await items.nth(count - 1).waitFor()
  await items.nth(count).waitFor({ state: "detached" })
  const entries = await items.locator(".place, .words").allInnerTexts()
  return Array.from({ length: entries.length / 2 }, (_, i) => entries.slice(i * 2, i * 2 + 2).join(" "))
}

/** Someone whose question is being answered, with others that wait behind it. */
const crowded = async (visitor: Visitor, ...questions: ReadonlyArray<string>): Promise<void> => {
  await visitor.pick(skill)
  await visitor.ask(long)
  await visitor.sees("w1 w2")
  for (const [i, question] of questions.entries()) {
    await visitor.ask(question)
    await waiting(visitor, i + 1)
  }
}

const stopAnswer = (visitor: Visitor) => visitor.page.getByRole("button", { name: "Stop the answer" }).click()

const announced = (visitor: Visitor) => visitor.page.getByRole("status", { name: "Announcements" })

layer(Layer.merge(Playground.Live, Browsing.Live), { excludeTestServices: true, timeout: 60_000 })(
  "questions that wait, on the page",
  (it) => {
    it.scoped("stand above the composer in their order, and leave when they begin", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await crowded(visitor, "tokens=5 first", "tokens=6 second")
          expect(await waiting(visitor, 2)).toEqual(["1 tokens=5 first", "2 tokens=6 second"])
          expect(await visitor.questions.count()).toBe(1)
          await announced(visitor).getByText("Waiting as number 2: tokens=6 second").waitFor()
          await visitor.shot("40-queue-light")
          await stopAnswer(visitor)
          await (await visitor.answer(1, "done")).getByText(words(0, 5)).waitFor()
          await (await visitor.answer(2, "done")).getByText(words(0, 6)).waitFor()
          await queueOf(visitor).waitFor({ state: "detached" })
          expect(await visitor.questions.allInnerTexts()).toMatchObject([
            expect.stringContaining(long),
            expect.stringContaining("first"),
            expect.stringContaining("second")
          ])
        })
      })
    )

    it.scoped("are changed and taken back in one tab, and seen so in the other", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const first = yield* visit(paced)
        yield* Effect.promise(async () => {
          await crowded(first, "tokens=5 one", "tokens=6 two")
          const second = await openTab(first.page.context(), first.page.url())
          expect(await waiting(second, 2)).toEqual(["1 tokens=5 one", "2 tokens=6 two"])
          expect(await second.questions.count()).toBe(1)

          await queueOf(second).getByRole("button", { name: "Edit: tokens=6 two" }).click()
          const rewrite = second.page.getByRole("textbox", { name: "The waiting question" })
          await rewrite.fill("tokens=7 changed")
          await second.page.getByRole("button", { name: "Save" }).click()
          for (const tab of [first, second]) {
            await queueOf(tab).getByText("tokens=7 changed").waitFor()
          }
          await queueOf(first).getByRole("button", { name: "Cancel: tokens=5 one" }).click()
          for (const tab of [first, second]) {
            expect(await waiting(tab, 1)).toEqual(["1 tokens=7 changed"])
          }
          await announced(second).getByText("A waiting question was taken back.").waitFor()

          await stopAnswer(first)
          for (const tab of [first, second]) {
            await tab.answers.getByText(words(0, 7), { exact: true }).waitFor()
            await queueOf(tab).waitFor({ state: "detached" })
            // The one that was taken back is told as one that never began.
            await tab.answers.getByText("Stopped before the answer began.").waitFor()
            expect(await tab.questions.count()).toBe(3)
            expect(tab.errors).toEqual([])
          }
        })
      })
    )

    it.scoped("are there again after a reload", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await crowded(visitor, "tokens=5 later")
          await visitor.page.reload()
          expect(await waiting(visitor, 1)).toEqual(["1 tokens=5 later"])
          await visitor.answer(0, "running")
          expect(await visitor.questions.count()).toBe(1)
          await stopAnswer(visitor)
          await (await visitor.answer(1, "done")).getByText(words(0, 5)).waitFor()
          expect(await visitor.questions.count()).toBe(2)
        })
      })
    )

    it.scoped("are worked by keyboard alone, and Esc there does not stop the answer", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced, { dark: true })
        yield* Effect.promise(async () => {
          const { keyboard } = visitor.page
          const focusOn = (label: string) => visitor.page.locator(`[aria-label="${label}"]:focus`)
          await crowded(visitor, "tokens=5 one", "tokens=6 two")
          // Back from where questions are written: the last entry's Cancel, its Edit.
          while ((await focusOn("Edit: tokens=6 two").count()) === 0) await keyboard.press("Shift+Tab")
          await keyboard.press("Enter")
          await visitor.page.getByRole("textbox", { name: "The waiting question" }).waitFor()
          await visitor.shot("41-queue-dark")
          await keyboard.type(" and more")
          await keyboard.press("Escape")
          await focusOn("Edit: tokens=6 two").waitFor()
          await visitor.answer(0, "running")

          await keyboard.press("Enter")
          await keyboard.type(" please")
          await keyboard.press("Enter")
          await queueOf(visitor).getByText("tokens=6 two please").waitFor()
          await announced(visitor).getByText("The question that waits as number 2 was changed.").waitFor()
          await focusOn("Edit: tokens=6 two please").waitFor()

          await keyboard.press("Shift+Tab")
          await focusOn("Cancel: tokens=5 one").waitFor()
          await keyboard.press("Enter")
          expect(await waiting(visitor, 1)).toEqual(["1 tokens=6 two please"])
          await focusOn("Edit: tokens=6 two please").waitFor()
          await keyboard.press("Tab")
          await keyboard.press("Enter")
          await queueOf(visitor).waitFor({ state: "detached" })
          await focusOn("Your question").waitFor()
          await visitor.answer(0, "running")
        })
      })
    )

    it.scoped("that begin while they are rewritten say so, and what was written can be asked", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await crowded(visitor, "tokens=5 as it was")
          await queueOf(visitor).getByRole("button", { name: /^Edit/ }).click()
          await visitor.page.getByRole("textbox", { name: "The waiting question" }).fill("tokens=9 rewritten")
          await stopAnswer(visitor)
          await visitor.sees("That question does not wait any more, so it was not changed.")
          await (await visitor.answer(1, "done")).getByText(words(0, 5)).waitFor()
          await visitor.page.getByRole("button", { name: "Ask it as you wrote it" }).click()
          await (await visitor.answer(2, "done")).getByText(words(0, 9)).waitFor()
          await visitor.questions.nth(2).getByText("tokens=9 rewritten").waitFor()
        })
      })
    )

    it.scoped("fit a phone, however long they are", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced, { phone: true })
        yield* Effect.promise(async () => {
          const { page } = visitor
          await crowded(visitor, `tokens=5 ${"and on ".repeat(40)}`, "tokens=5 short", "tokens=5 third")
          await visitor.shot("42-queue-phone")
          expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true)
          for (const button of await queueOf(visitor).getByRole("button").all()) {
            const box = await button.boundingBox()
            expect((box?.x ?? 390) + (box?.width ?? 0)).toBeLessThanOrEqual(390)
          }
          await queueOf(visitor).getByRole("button", { name: /^Edit/ }).first().click()
          await page.getByRole("textbox", { name: "The waiting question" }).waitFor()
          await visitor.shot("43-queue-phone-edit")
          expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true)
        })
      })
    )
  }
)

/** Someone looks at a chat, and the server's side of it. */
const staged = Effect.gen(function* () {
  const stage = yield* Effect.acquireRelease(
    Effect.promise(() => Stage.open()),
    (stage) => Effect.promise(() => stage.close())
  )
  stage.rest.set("GET /api/v1/chat/online", [appOf(1, "Chat")])
  stage.rest.set("GET /api/v1/runs", [])
  const visitor = yield* visit(stage)
  const player = yield* Effect.promise(async () => {
    await visitor.page.getByRole("main").getByRole("link", { name: "Chat" }).click()
    return stage.players.take()
  })
  const chat = { chat_id: player.query.get("chat_id") ?? "" }
  const say = (to: Player, ...frames: ReadonlyArray<wire.Fields>) =>
    to.say(...frames.map((each) => ({ ...each, ...chat })))
  say(player, wire.opened())
  yield* Effect.promise(() => visitor.sees("Connected"))
  return { stage, visitor, player, say }
})

const half = wire.numbered(1, [wire.begin("r1", wire.question("q", null)), wire.text("r1", "half ")])

layer(Browsing.Live, { excludeTestServices: true, timeout: 60_000 })(
  "the page of a server of several nodes",
  (it) => {
    it.scoped("shows what somebody else has asked meanwhile, as soon as that is told", () =>
      Effect.gen(function* () {
        const { stage, visitor, player, say } = yield* staged
        yield* Effect.promise(async () => {
          say(player, ...half)
          await visitor.sees("half")
          const theirs = {
            run_id: "r2",
            client_msg_id: "theirs",
            status: "queued",
            question: "their question"
          }
          stage.rest.set("GET /api/v1/runs", [{ ...theirs, position: 1 }])
          say(player, wire.frame("info", "queue", { message: { ...theirs, position: 1 } }))
          expect(await waiting(visitor, 1)).toEqual(["1 their question"])
        })
      })
    )

    it.scoped("moves to another node while it shows an answer, and nobody notices", () =>
      Effect.gen(function* () {
        const { stage, visitor, player, say } = yield* staged
        yield* Effect.promise(async () => {
          say(player, ...half)
          await visitor.sees("half")
          const message = { action: "reconnect", after_ms: 10 }
          player.say(wire.frame("info", "system", { flow_id: "", chat_id: "", message }))
          const next = await stage.players.take()
          expect(next.query.get("last_seq")).toBe("2")
          say(next, wire.opened({ recovered: true, seq: 2, run_id: "r1", status: "running" }))
          expect(await player.gone.take()).toBe(1000)
          say(next, ...wire.numbered(3, [wire.text("r1", "and whole"), wire.close("r1")]))
          await (await visitor.answer(0, "done")).getByText("half and whole").waitFor()
          expect(await visitor.page.getByText("Connection lost").count()).toBe(0)
        })
      })
    )

    it.scoped("says that an answer's server died, and keeps what was written", () =>
      Effect.gen(function* () {
        const { visitor, player, say } = yield* staged
        yield* Effect.promise(async () => {
          const error = { status_code: 13015, status_message: "the server that ran this is gone; ask again" }
          say(
            player,
            ...half,
            ...wire.numbered(3, [
              wire.frame("end", "answer", { run_id: "r1", message: "half ", message_id: 8 }),
              wire.frame("end", "error", { run_id: "r1", message: error }),
              wire.close("r1")
            ])
          )
          const answer = visitor.answers.first()
          await answer.getByText("The server that was writing it is gone").waitFor()
          await answer.getByText("half").waitFor()
          await answer.getByRole("button", { name: "Ask again" }).waitFor()
          await visitor.shot("44-lost")
        })
      })
    )
  }
)
