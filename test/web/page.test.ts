import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WebSocket } from "ws"
import { connect } from "../../src/client/client.ts"
import { startProcess, tempDir } from "../support/process.ts"
import { Browsing, openTab, Playground, visit, words } from "./playground.ts"

const skill = "Chat Talk with the model"
const assistant = "Docs assistant Answers from"
const assistantId = "c0110c00000000000000000000000d0c"

/** A visitor of a server that the test may kill, and start again with the same environment. */
const visitOwn = Effect.gen(function* () {
  const { upstream } = yield* Playground
  const dir = yield* tempDir
  const environment = { DATA_DIR: dir, OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "paced" }
  const server = yield* startProcess(environment)
  return { environment, server, visitor: yield* visit(server) }
})

layer(Layer.merge(Playground.Live, Browsing.Live), { excludeTestServices: true, timeout: 60_000 })(
  "the page",
  (it) => {
    it.scoped("lets a guest in, offers the apps, and fetches nothing from elsewhere", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          await visitor.page.getByRole("heading", { name: "Who would you like to talk to?" }).waitFor()
          await visitor.sees("Nothing here yet")
          await visitor.shot("01-start")
          await visitor.pick(assistant)
          await visitor.page.getByRole("button", { name: "How do I start the server?" }).waitFor()
          await visitor.shot("02-welcome")
          expect(visitor.asked.filter((url) => !url.startsWith(offline.url))).toEqual([])
          expect(visitor.errors).toEqual([])
        })
      })
    )

    it.scoped("answers from a file that its user adds, and formats and quotes it", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          await visitor.pick(assistant)
          await visitor.page.locator("input[type=file]").setInputFiles({
            name: "garden.md",
            mimeType: "text/markdown",
            buffer: Buffer.from(
              "# The garden\n\nThe old lighthouse keeper waters his zucchini at five in the morning.\n"
            )
          })
          await visitor.sees("ready to be asked about")
          await visitor.ask("When does the lighthouse keeper water his zucchini?")
          const answer = await visitor.answer(0, "done")
          await answer.getByText("five in the morning").first().waitFor()
          await answer.getByText("garden.md").first().waitFor()
          await visitor.shot("03-own-document")
          await visitor.page.locator("input[type=file]").setInputFiles({
            name: "picture.png",
            mimeType: "image/png",
            buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47])
          })
          await visitor.sees(/not added: .*picture\.png/)
        })
      })
    )

    it.scoped("shows reasoning and tools while they go on, and folds them when the answer comes", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await visitor.pick(assistant)
          await visitor.ask('reasoning=30 delay=20 tokens=20 tool=calculator:{"expression":"6*7"}')
          await visitor.page.getByRole("button", { name: /Thinking|Using calculator/ }).waitFor()
          await visitor.sees("r5")
          await visitor.shot("04-thinking")
          const answer = await visitor.answer(0, "done")
          const work = answer.getByRole("button", { name: "Thought it through · Used calculator" })
          expect(await work.getAttribute("aria-expanded")).toBe("false")
          await work.click()
          await answer.getByText("calculator", { exact: true }).click()
          await answer.getByText("42", { exact: true }).waitFor()
          await visitor.shot("05-work")
          await answer.getByText(words(0, 20)).waitFor()
        })
      })
    )

    it.scoped("stops by button and by Esc: the model is left, and what was said stays", () =>
      Effect.gen(function* () {
        const { paced, upstream } = yield* Playground
        const visitor = yield* visit(paced)
        const before = (yield* upstream.stats).closedByClient
        yield* Effect.promise(async () => {
          await visitor.pick(skill)
          await visitor.ask("tokens=500 delay=20")
          await visitor.sees("w3 w4")
          await visitor.page.getByRole("button", { name: "Stop the answer" }).click()
          const answer = await visitor.answer(0, "stopped")
          await answer.getByText("Stopped here.").waitFor()
          await visitor.shot("06-stopped")
        })
        yield* upstream.statsWhen(({ closedByClient }) => closedByClient === before + 1)
        yield* Effect.promise(async () => {
          await visitor.ask("tokens=500 delay=20 again")
          await visitor.answers.nth(1).getByText("w3 w4").waitFor()
          await visitor.page.keyboard.press("Escape")
          await visitor.answer(1, "stopped")
        })
        yield* upstream.statsWhen(({ closedByClient }) => closedByClient === before + 2)
        yield* Effect.promise(async () => {
          await visitor.page.reload()
          await visitor.answer(1, "stopped")
          await visitor.answers.nth(0).getByText("w3 w4").waitFor()
        })
      })
    )

    it.scoped("goes on where it was after a reload in mid-answer", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await visitor.pick(skill)
          await visitor.ask("tokens=80 delay=25")
          await visitor.sees("w3 w4")
          await visitor.page.reload()
          await visitor.answer(0, "running")
          await visitor.questions.getByText("tokens=80").waitFor()
          const answer = await visitor.answer(0, "done")
          await answer.getByText(words(0, 80)).waitFor()
          expect(await visitor.answers.count()).toBe(1)
          expect(await visitor.questions.count()).toBe(1)
        })
      })
    )

    it.scoped("shows the same chat moving in a second tab, question and queue included", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const first = yield* visit(paced)
        yield* Effect.promise(async () => {
          await first.pick(skill)
          const second = await openTab(first.page.context(), first.page.url())
          await second.sees("Connected")
          await first.ask("tokens=60 delay=25")
          await second.questions.getByText("tokens=60").waitFor()
          await second.answers.getByText("w2 w3").waitFor()
          await second.ask("tokens=5 from the second tab")
          await second.sees("Waiting for the answer before it")
          await second.shot("07-second-tab")
          for (const tab of [first, second]) {
            const long = await tab.answer(0, "done")
            await long.getByText(words(0, 60)).waitFor()
            const short = await tab.answer(1, "done")
            await short.getByText(words(0, 5)).waitFor()
            await tab.questions.nth(1).getByText("from the second tab").waitFor()
            expect(await tab.questions.count()).toBe(2)
          }
        })
      })
    )

    it.scoped("says what went wrong, and asks again", () =>
      Effect.gen(function* () {
        const { paced, upstream } = yield* Playground
        yield* upstream.reset
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await visitor.pick(skill)
          await visitor.ask("status=400 times=1 tokens=5")
          const failed = await visitor.answer(0, "failed")
          await failed.getByText("No answer came of this").waitFor()
          await visitor.shot("08-failed")
          await failed.getByRole("button", { name: "Ask again" }).click()
          const answer = await visitor.answer(1, "done")
          await answer.getByText(words(0, 5)).waitFor()
        })
      })
    )

    it.scoped("reconnects by itself when the server comes back, and says meanwhile that it tries", () =>
      Effect.gen(function* () {
        const { environment, server, visitor } = yield* visitOwn
        yield* Effect.promise(async () => {
          await visitor.pick(skill)
          await visitor.ask("tokens=500 delay=20")
          // Past the second after which what was said is stored.
          await visitor.sees("w98 w99")
        })
        yield* server.signal("SIGKILL")
        yield* server.exited
        yield* Effect.promise(async () => {
          await visitor.sees("Connection lost; reconnecting.")
          const status = visitor.page.locator(".connection[data-status=waiting]")
          await status.waitFor()
          // As wide as its words, and no wider: the name of the chat is beside it.
          expect(await status.evaluate((one) => one.clientWidth)).toBeLessThan(160)
          await visitor.shot("09-reconnecting")
        })
        yield* startProcess({ ...environment, PORT: `${server.port}` })
        yield* Effect.promise(async () => {
          await visitor.sees("Connected")
          // The answer broke off with the server; what it had said is kept.
          const answer = await visitor.answer(0, "stopped")
          await answer.getByText("w0 w1").waitFor()
          await visitor.ask("tokens=5")
          await (await visitor.answer(1, "done")).getByText(words(0, 5)).waitFor()
          expect(visitor.errors).toEqual([])
        })
      })
    )

    it.scoped(
      "says of an answer that its server took along before the first word that it did not begin",
      () =>
        Effect.gen(function* () {
          const { environment, server, visitor } = yield* visitOwn
          yield* Effect.promise(async () => {
            await visitor.pick(assistant)
            await visitor.ask('tokens=20 stall=0 tool=calculator:{"expression":"6*7"}')
            // The tool's row is stored.
            await visitor.page.getByText("done", { exact: true }).waitFor()
          })
          yield* server.signal("SIGKILL")
          yield* server.exited
          yield* startProcess({ ...environment, PORT: `${server.port}` })
          yield* Effect.promise(async () => {
            await visitor.sees("Connected")
            await visitor.answer(0, "stopped")
            await visitor.sees("Stopped before the answer began.")
          })
        })
    )

    it.scoped("finds past chats, with older messages on demand, and deletes one after asking", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        const chatId = "a-long-chat"
        yield* Effect.promise(async () => {
          await visitor.sees("Nothing here yet")
          const cookies = await visitor.page.context().cookies()
          const token = cookies.find(({ name }) => name === "access_token_cookie")?.value ?? ""
          const client = connect({ url: paced.url, token, WebSocket })
          const session = client.session({ flowId: assistantId, chatId })
          const closed = async () => {
            for await (const event of session.events()) {
              if (event.type === "failed") throw new Error(event.error.detail)
              if (event.type === "run_closed") return
            }
          }
          for (let i = 0; i < 20; i++) {
            const done = closed()
            session.send(`tokens=1 delay=1 question ${i}`)
            await done
          }
          client.close()
          await visitor.page.reload()
          await visitor.page
            .getByRole("navigation")
            .getByRole("link", { name: /Docs assistant/ })
            .click()
          await visitor.questions.getByText("question 19").waitFor()
          expect(await visitor.questions.getByText("question 2", { exact: false }).count()).toBe(0)
          await visitor.shot("10-history")
          await visitor.page.getByRole("button", { name: "Load older messages" }).click()
          await visitor.questions.first().getByText("question 0").waitFor()
          expect(await visitor.questions.count()).toBe(20)
          expect(await visitor.answers.count()).toBe(20)

          await visitor.page.getByRole("button", { name: /^Delete/ }).click()
          await visitor.page.getByRole("alertdialog").waitFor()
          await visitor.shot("11-delete")
          await visitor.page.getByRole("button", { name: "Keep it" }).click()
          await visitor.page.getByRole("alertdialog").waitFor({ state: "detached" })
          await visitor.page.getByRole("button", { name: /^Delete/ }).click()
          await visitor.page.getByRole("button", { name: "Delete", exact: true }).click()
          await visitor.sees("Nothing here yet")
          await visitor.page.getByRole("heading", { name: "Who would you like to talk to?" }).waitFor()
          await visitor.page.reload()
          await visitor.sees("Nothing here yet")
        })
      })
    )

    it.scoped("copies an answer, and says so", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          await visitor.pick(skill)
          await visitor.ask("tokens=5")
          const answer = await visitor.answer(0, "done")
          await answer.getByRole("button", { name: "Copy this answer" }).click()
          await answer.getByText("Copied").waitFor()
          const copied = await visitor.page.evaluate("navigator.clipboard.readText()")
          expect(String(copied).trim()).toBe(words(0, 5))
        })
      })
    )

    it.scoped("is used by keyboard alone", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          const { keyboard } = visitor.page
          await visitor.page.getByRole("main").getByRole("link", { name: skill }).focus()
          await keyboard.press("Enter")
          await visitor.sees("Connected")
          await visitor.page.waitForFunction("document.activeElement?.tagName === 'TEXTAREA'")
          await keyboard.type("tokens=5")
          await keyboard.press("Shift+Enter")
          await keyboard.type("second line")
          await keyboard.press("Enter")
          await visitor.questions.getByText(/tokens=5\s+second line/).waitFor()
          const answer = await visitor.answer(0, "done")
          await keyboard.type("straight on")
          expect(await visitor.input.inputValue()).toBe("straight on")
          await answer.getByRole("button", { name: "Copy this answer" }).focus()
          await keyboard.press("Enter")
          await answer.getByText("Copied").waitFor()
          const spoken = visitor.page.getByRole("status", { name: "Announcements" })
          await spoken.getByText(`Answer: ${words(0, 5)}`).waitFor()
        })
      })
    )

    it.scoped("asks for an account where guests are not welcome", () =>
      Effect.gen(function* () {
        const server = yield* startProcess({ DATA_DIR: yield* tempDir, GUEST_ACCESS: "false" })
        const visitor = yield* visit(server)
        yield* Effect.promise(async () => {
          const { page } = visitor
          const fill = async (password: string) => {
            await page.getByLabel("Name").fill("ada")
            await page.getByLabel("Password").fill(password)
          }
          await page.getByRole("heading", { name: "Sign in to Colloquy" }).waitFor()
          await visitor.shot("16-sign-in")
          await fill("not yet known 1815")
          await page.getByRole("button", { name: "Sign in" }).click()
          await page.getByRole("alert").waitFor()
          await page.getByRole("button", { name: "I am new here" }).click()
          await fill("analytical engine 1843")
          await page.getByRole("button", { name: "Make the account" }).click()
          await page.getByRole("heading", { name: "Who would you like to talk to?" }).waitFor()
          await page.reload()
          await page.getByRole("button", { name: "Sign out" }).click()
          await fill("analytical engine 1843")
          await page.getByRole("button", { name: "Sign in" }).click()
          await visitor.sees("ada")
          await page.getByRole("heading", { name: "Who would you like to talk to?" }).waitFor()
        })
      })
    )

    it.scoped("does not show someone else's chat, and says why", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const owner = yield* visit(paced)
        const stranger = yield* visit(paced)
        yield* Effect.promise(async () => {
          await owner.pick(skill)
          await owner.ask("tokens=5 private")
          await owner.answer(0, "done")
          await stranger.page.goto(owner.page.url())
          await stranger.page.reload()
          await stranger.sees(/not yours/)
          await stranger.shot("17-not-yours")
          expect(await stranger.page.getByText("private").count()).toBe(0)
        })
      })
    )

    it.scoped("fits a phone, where past chats are a drawer", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced, { phone: true })
        yield* Effect.promise(async () => {
          const { page } = visitor
          await page.getByRole("main").getByRole("link", { name: skill }).waitFor()
          await visitor.shot("12-phone-start")
          await visitor.pick(skill)
          await visitor.ask("tokens=60 delay=1")
          await visitor.answer(0, "done")
          await visitor.shot("13-phone-chat")
          expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true)
          await page.getByRole("button", { name: "Past chats" }).click()
          const drawer = page.getByRole("dialog", { name: "Past chats" })
          await drawer.getByRole("link", { name: /Chat/ }).first().waitFor()
          await visitor.shot("14-phone-drawer")
          await page.keyboard.press("Escape")
          await drawer.waitFor({ state: "detached" })
        })
      })
    )

    it.scoped("is dark where the system is, and stays as its user sets it", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced, { dark: true })
        yield* Effect.promise(async () => {
          const { page } = visitor
          const paper = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
          await visitor.pick(skill)
          await visitor.ask("tokens=40 delay=1")
          await visitor.answer(0, "done")
          await visitor.shot("15-dark")
          const dark = await paper()
          await page.getByRole("button", { name: /^Colours/ }).click()
          await page.getByRole("button", { name: "Colours: light. Change" }).waitFor()
          expect(await paper()).not.toBe(dark)
          await page.reload()
          await page.getByRole("button", { name: "Colours: light. Change" }).waitFor()
          expect(await paper()).not.toBe(dark)
        })
      })
    )
  }
)
