/** The built-in apps, as a person meets them: a browser against the real program. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { startProcess, tempDir } from "../support/process.ts"
import { Browsing, Playground, type Visitor, visit } from "./playground.ts"

const exported = fileURLToPath(new URL("../fixtures/bisheng-templates.json", import.meta.url))

const notes = {
  name: "lighthouse.md",
  mimeType: "text/markdown",
  buffer: Buffer.from(
    "# The lighthouse\n\nThe lighthouse was built in 1851 by Ada Stevenson and is 41 metres high.\n\n" +
      "## What is to be done\n\nThe lamp is to be cleaned on the first Monday of every month.\n"
  )
}

/** The same screen in both colours. */
const shots = async (visitor: Visitor, name: string): Promise<void> => {
  await visitor.shot(`${name}-light`)
  await visitor.page.emulateMedia({ colorScheme: "dark" })
  await visitor.shot(`${name}-dark`)
  await visitor.page.emulateMedia({ colorScheme: "light" })
}

const rowsOf = ({ page }: Visitor, status?: string) =>
  page.locator(status === undefined ? "[data-role=row]" : `[data-role=row][data-status=${status}]`)

layer(Layer.merge(Playground.Live, Browsing.Live), { excludeTestServices: true, timeout: 60_000 })(
  "the built-in apps on the page",
  (it) => {
    it.scoped(
      "a batch answers its questions from a file, with progress, passages and all answers together",
      () =>
        Effect.gen(function* () {
          const { offline } = yield* Playground
          const visitor = yield* visit(offline)
          yield* Effect.promise(async () => {
            const { page } = visitor
            await visitor.pick("Ask a document")
            const questions = page.getByLabel("Questions, one a line")
            expect((await questions.inputValue()).split("\n")).toHaveLength(3)
            await page.getByRole("button", { name: "Ask 3 questions" }).click()
            await page.getByRole("alert").getByText("Add a file first: Your document.").waitFor()
            await page.locator("input[type=file]").setInputFiles(notes)
            await visitor.sees("added")
            await questions.fill(
              "Who built the lighthouse?\nHow high is the lighthouse?\nWhen is the lamp cleaned?"
            )
            await shots(visitor, "40-batch-form")
            await page.getByRole("button", { name: "Ask 3 questions" }).click()

            await page.locator("[data-role=progress]").getByText("3 of 3 answered").waitFor()
            await visitor.questions.getByText("lighthouse.md").waitFor()
            expect(await rowsOf(visitor, "done").count()).toBe(3)
            await rowsOf(visitor)
              .nth(0)
              .getByText(/Ada Stevenson/)
              .first()
              .waitFor()
            await rowsOf(visitor)
              .nth(1)
              .getByText(/41 metres/)
              .first()
              .waitFor()
            await page.getByText("All answers together").click()
            await page.locator("[data-role=gathered]").getByText("How high is the lighthouse?").waitFor()
            await shots(visitor, "41-batch-done")

            await rowsOf(visitor).nth(2).getByRole("button", { name: "Sources" }).click()
            const sheet = page.getByRole("dialog", { name: "Sources of this answer" })
            await sheet.getByText("lighthouse.md").first().waitFor()
            await sheet.getByText("first Monday").first().waitFor()
            await shots(visitor, "42-batch-sources")
            await page.keyboard.press("Escape")
            await sheet.waitFor({ state: "detached" })

            await page.reload()
            await page.locator("[data-role=progress]").getByText("3 of 3 answered").waitFor()
            expect(await rowsOf(visitor, "done").count()).toBe(3)
            expect(visitor.errors).toEqual([])
          })
        })
    )

    it.scoped("a batch that is stopped keeps the rows that were answered", () =>
      Effect.gen(function* () {
        const { paced, upstream } = yield* Playground
        const visitor = yield* visit(paced)
        const before = (yield* upstream.stats).closedByClient
        yield* Effect.promise(async () => {
          const { page } = visitor
          await visitor.pick("Ask a document")
          await page.locator("input[type=file]").setInputFiles(notes)
          await visitor.sees("added")
          await page
            .getByLabel("Questions, one a line")
            .fill("lighthouse tokens=5 delay=1\nlighthouse tokens=500 delay=20\nlighthouse tokens=7 delay=1")
          await page.getByRole("button", { name: "Ask 3 questions" }).click()
          await rowsOf(visitor, "running").getByText("w3 w4").waitFor()
          await page.locator("[data-role=progress]").getByText("1 of 3").waitFor()
          await shots(visitor, "43-batch-running")
          await page.keyboard.press("Escape")
          await visitor.answer(0, "stopped")
          await rowsOf(visitor, "done").getByText("w0 w1 w2 w3 w4").waitFor()
          await rowsOf(visitor, "stopped").getByText("Stopped here.").waitFor()
        })
        yield* upstream.statsWhen(({ closedByClient }) => closedByClient === before + 1)
        yield* Effect.promise(async () => {
          const { page } = visitor
          await shots(visitor, "44-batch-stopped")
          await page.reload()
          await visitor.answer(0, "stopped")
          await rowsOf(visitor, "done").getByText("w0 w1 w2 w3 w4").waitFor()
          await rowsOf(visitor, "stopped").getByText("w3 w4").waitFor()
          expect(await rowsOf(visitor).count()).toBe(2)
          expect(visitor.errors).toEqual([])
        })
      })
    )

    it.scoped("a report is written and downloaded as a Word file, also after a reload", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          const { page } = visitor
          await visitor.pick("Report")
          await page.getByRole("button", { name: "Write the report" }).click()
          const link = page.getByRole("link", { name: /Brief.*\.docx/ })
          await link.waitFor()
          await visitor.answer(0, "done")
          expect(await rowsOf(visitor, "done").count()).toBe(3)
          await shots(visitor, "45-report")
          const wordFile = async () => {
            const [download] = await Promise.all([page.waitForEvent("download"), link.click()])
            expect(download.suggestedFilename()).toMatch(/^Brief.*\.docx$/)
            return readFileSync(await download.path())
          }
          expect((await wordFile()).subarray(0, 4).toString("latin1")).toBe("PK\u0003\u0004")
          await page.reload()
          await link.waitFor()
          expect((await wordFile()).length).toBeGreaterThan(1_000)
          expect(visitor.errors).toEqual([])
        })
      })
    )

    it.scoped("a workflow is gone through by keyboard alone, over a reload while it waits", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          const { page } = visitor
          const { keyboard } = page
          const reply = page.getByRole("textbox", { name: "Your reply" })
          const replyFocused = () => page.waitForFunction("document.activeElement?.tagName === 'TEXTAREA'")
          const choice = (name: string) => page.getByRole("button", { name }).last()
          await visitor.pick("Draft with me")
          await page.getByRole("button", { name: "Start Draft with me" }).focus()
          await keyboard.press("Enter")
          await page.getByRole("button", { name: "What does a stop do?" }).waitFor()
          await visitor.answer(0, "waiting")
          await replyFocused()
          await shots(visitor, "46-workflow-input")

          await page.reload()
          await visitor.answer(0, "waiting")
          await page.getByText("Topic waits for your reply.").waitFor()
          await reply.waitFor()
          await replyFocused()
          await keyboard.type("How is the server started?")
          await keyboard.press("Enter")
          await page.locator("[data-role=reply]").getByText("How is the server started?").waitFor()
          await choice("Ask something else").waitFor()
          await shots(visitor, "47-workflow-choice")

          await page.reload()
          await choice("Ask something else").waitFor()
          await page.locator("[data-role=reply]").getByText("How is the server started?").waitFor()
          await visitor.answer(0, "waiting")
          expect(await visitor.answers.count()).toBe(1)
          expect(await visitor.questions.count()).toBe(0)
          // From the question on, whose answers are next.
          await page.waitForFunction("document.activeElement?.className === 'asking'")
          await keyboard.press("Tab")
          await keyboard.press("Tab")
          await keyboard.press("Enter")
          await reply.waitFor()
          await replyFocused()
          await keyboard.type("What does a stop do?")
          await keyboard.press("Enter")
          await page.locator("[data-role=prompt][data-kind=choose]").nth(1).waitFor()
          await page.waitForFunction("document.activeElement?.className === 'asking'")
          await keyboard.press("Tab")
          await keyboard.press("Enter")
          await visitor.answer(0, "done")
          await page.getByRole("button", { name: "Start again" }).waitFor()
          await shots(visitor, "48-workflow-done")
          const replies = await page.locator("[data-role=reply] .bubble").allTextContents()
          expect(replies).toEqual([
            "How is the server started?",
            "Ask something else",
            "What does a stop do?",
            "Yes, done"
          ])
          expect(visitor.errors).toEqual([])
        })
      })
    )

    it.scoped("a workflow that waits is given up with Esc, and begun again", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          const { page } = visitor
          await visitor.pick("Draft with me")
          await page.getByRole("button", { name: "Start Draft with me" }).click()
          await visitor.answer(0, "waiting")
          await page.keyboard.press("Escape")
          await visitor.answer(0, "stopped")
          await page.getByRole("button", { name: "Start again" }).click()
          await visitor.answer(1, "waiting")
          await page.getByRole("textbox", { name: "Your reply" }).waitFor()
          await shots(visitor, "49-workflow-again")
        })
      })
    )

    it.scoped(
      "a workflow still waits when its server was killed, and takes the reply on the page left open",
      () =>
        Effect.gen(function* () {
          const { upstream } = yield* Playground
          const environment = {
            DATA_DIR: yield* tempDir,
            OPENAI_BASE_URL: upstream.url,
            OPENAI_MODEL: "paced"
          }
          const server = yield* startProcess(environment)
          const visitor = yield* visit(server)
          const { page } = visitor
          yield* Effect.promise(async () => {
            await visitor.pick("Draft with me")
            await page.getByRole("button", { name: "Start Draft with me" }).click()
            await visitor.answer(0, "waiting")
          })
          yield* server.signal("SIGKILL")
          yield* server.exited
          yield* Effect.promise(() => visitor.sees("Connection lost; reconnecting."))
          yield* startProcess({ ...environment, PORT: `${server.port}` })
          yield* Effect.promise(async () => {
            await visitor.sees("Connected")
            await visitor.answer(0, "waiting")
            const reply = page.getByRole("textbox", { name: "Your reply" })
            await reply.fill("tokens=5 delay=1 server")
            await reply.press("Enter")
            await page.getByText("w0 w1 w2 w3 w4").waitFor()
            await page.getByRole("button", { name: "Yes, done" }).click()
            await visitor.answer(0, "done")
            expect(visitor.errors).toEqual([])
          })
        })
    )

    it.scoped("a round table discusses, waits for the person over a reload, and goes on with the reply", () =>
      Effect.gen(function* () {
        const { paced } = yield* Playground
        const visitor = yield* visit(paced)
        yield* Effect.promise(async () => {
          const { page } = visitor
          await visitor.pick("Round table")
          await visitor.ask("tokens=30 delay=1 How does a stop work?")
          const reply = page.getByRole("textbox", { name: "Your reply" })
          await reply.waitFor()
          await page.getByRole("region", { name: "Researcher" }).first().waitFor()
          await shots(visitor, "50-group-asks")
          const said = await page.locator("[data-role=said]").allTextContents()
          await page.reload()
          await reply.waitFor()
          await page
            .locator("[data-role=said]")
            .nth(said.length - 1)
            .waitFor()
          expect(await page.locator("[data-role=said]").allTextContents()).toEqual(said)
          expect(await visitor.questions.count()).toBe(1)
          await reply.fill("And what is stored then?")
          await reply.press("Enter")
          await page.locator("[data-role=reply]").getByText("And what is stored then?").waitFor()
          await page.locator("[data-role=said]").nth(said.length).waitFor()
          await reply.waitFor()
          await page.keyboard.press("Escape")
          await visitor.answer(0, "stopped")
          await shots(visitor, "51-group-stopped")
          await visitor.input.waitFor()
          expect(visitor.errors).toEqual([])
        })
      })
    )

    it.scoped("an answer from documents shows its passages", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          const { page } = visitor
          await visitor.pick("Docs assistant")
          await page.getByRole("button", { name: "How do I start the server?" }).click()
          const answer = await visitor.answer(0, "done")
          await answer.getByRole("button", { name: "Sources" }).focus()
          await page.keyboard.press("Enter")
          const sheet = page.getByRole("dialog", { name: "Sources of this answer" })
          await sheet.getByRole("figure").first().waitFor()
          await shots(visitor, "52-sources")
          await page.keyboard.press("Escape")
          await sheet.waitFor({ state: "detached" })
          await page.waitForFunction('document.activeElement?.textContent === "Sources"')
        })
      })
    )

    it.scoped("an export of Bisheng is imported; what runs goes online and is opened", () =>
      Effect.gen(function* () {
        const { offline } = yield* Playground
        const visitor = yield* visit(offline)
        yield* Effect.promise(async () => {
          const { page } = visitor
          await page.getByRole("button", { name: "Import apps" }).focus()
          await page.keyboard.press("Enter")
          const dialog = page.getByRole("dialog", { name: "Import apps" })
          await dialog.locator("input[type=file]").setInputFiles(exported)
          await dialog.getByText(/^\d+ of 16 run here\.$/).waitFor()
          expect(await dialog.getByRole("row").count()).toBe(17)
          await shots(visitor, "53-import")
          const row = dialog.getByRole("row").filter({ hasText: "Runs here" }).first()
          const name = (await row.getByRole("rowheader").textContent()) ?? ""
          await row.getByRole("button", { name: "Put online" }).click()
          await row.getByRole("link", { name: "Open" }).click()
          await dialog.waitFor({ state: "detached" })
          await page.getByRole("heading", { name, level: 1 }).waitFor()
          await visitor.sees("Connected")
          await shots(visitor, "54-imported")
          expect(visitor.errors).toEqual([])
        })
      })
    )
  }
)
