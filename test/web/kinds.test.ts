import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as runs from "../client/runs.ts"
import type { Visitor as Player } from "../client/ScriptedServer.ts"
import * as wire from "../client/wire.ts"
import { Browsing, type VisitOptions, visit } from "./playground.ts"
import { appOf, Stage } from "./Stage.ts"

/** Someone looks at the app, and the server's side of their session; frames are addressed to it. */
const begun = (
  app: wire.Fields,
  options: VisitOptions = {},
  rest: ReadonlyArray<readonly [string, unknown]> = []
) =>
  Effect.gen(function* () {
    const stage = yield* Effect.acquireRelease(
      Effect.promise(() => Stage.open()),
      (stage) => Effect.promise(() => stage.close())
    )
    stage.rest.set("GET /api/v1/chat/online", [app])
    for (const [path, data] of rest) stage.rest.set(path, data)
    const visitor = yield* visit(stage, options)
    const player = yield* Effect.promise(async () => {
      await visitor.page
        .getByRole("main")
        .getByRole("link", { name: String(app["name"]) })
        .click()
      return stage.players.take()
    })
    const chat = { chat_id: player.query.get("chat_id") ?? "" }
    let seq = 0
    const say = (...frames: ReadonlyArray<wire.Fields>) => {
      player.say(...wire.numbered(seq + 1, frames).map((each) => ({ ...each, ...chat })))
      seq += frames.length
    }
    player.say({ ...wire.opened(), ...chat })
    yield* Effect.promise(() => visitor.sees("Connected"))
    return { stage, visitor, player, say }
  })

/** What the page says next, pings aside. */
const heard = async (player: Player): Promise<wire.Fields> => {
  for (;;) {
    const payload = await player.payloads.take()
    if (payload["action"] !== "ping") return payload
  }
}

const idOf = (payload: wire.Fields): string => String(payload["client_msg_id"])

layer(Browsing.Live, { excludeTestServices: true, timeout: 60_000 })(
  "the page, with each kind of app",
  (it) => {
    for (const dark of [false, true]) {
      const shade = dark ? "dark" : "light"

      it.scoped(`shows a group chat by its speakers, and takes the reply to them (${shade})`, () =>
        Effect.gen(function* () {
          const app = appOf(1, "Round table", { features: { group: true } })
          const { visitor, player, say } = yield* begun(app, { dark })
          yield* Effect.promise(async () => {
            await visitor.ask("Write")
            const asked = await heard(player)
            say(wire.begin("r1", wire.question("Write", idOf(asked))), ...runs.groupUntilAsked.slice(1))
            const reply = visitor.page.getByRole("textbox", { name: "Your reply" })
            await reply.waitFor()
            await visitor.page
              .getByRole("status", { name: "Announcements" })
              .getByText("Critic asks you")
              .waitFor()
            await visitor.page.getByRole("region", { name: "Critic" }).getByText("to you").waitFor()
            await visitor.shot(`20-group-${shade}`)
            await reply.fill("Longer, please")
            await reply.press("Enter")
            const replied = await heard(player)
            expect(replied).toMatchObject({ action: "continue", inputs: "Longer, please" })
            say(...runs.groupAfterReply(idOf(replied)))
            await visitor.sees("The round is over")
            await visitor.page.locator("[data-role=reply]").getByText("Longer, please").waitFor()
            await visitor.page.getByRole("textbox", { name: "Your question" }).waitFor()
            expect(visitor.errors).toEqual([])
          })
        })
      )

      it.scoped(`asks many questions of a file and shows how far they are (${shade})`, () =>
        Effect.gen(function* () {
          const app = appOf(1, "Ask a document", { features: { batch: true } })
          const template = (fields: wire.Fields) => ({ node: { template: fields } })
          const nodes = [
            {
              id: "InputFileNode-1",
              data: {
                id: "InputFileNode-1",
                type: "InputFileNode",
                ...template({ file_type: { value: "Your notes" } })
              }
            },
            {
              id: "InputNode-1",
              data: {
                id: "InputNode-1",
                type: "InputNode",
                ...template({ input: { value: ["Who?", "When?"] } })
              }
            }
          ]
          const { visitor, player, say } = yield* begun(app, { dark }, [
            [`GET /api/v1/flows/${wire.flowId}`, { data: { nodes, edges: [] } }],
            [
              `POST /api/v1/upload/${wire.flowId}`,
              { file_path: "f1", file_id: "f1", file_name: "notes.md", bytes: 3 }
            ]
          ])
          yield* Effect.promise(async () => {
            const { page } = visitor
            const questions = page.getByLabel("Questions, one a line")
            expect(await questions.inputValue()).toBe("Who?\nWhen?")
            await questions.fill("Who?\nWhen?\n\nWhere?")
            await page.getByRole("button", { name: "Ask 3 questions" }).click()
            await page.getByRole("alert").getByText("Add a file first: Your notes.").waitFor()
            await page
              .locator("input[type=file]")
              .setInputFiles({ name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("Ada") })
            await visitor.sees("added")
            await visitor.shot(`21-batch-form-${shade}`)
            await page.getByRole("button", { name: "Ask 3 questions" }).click()
            const payload = await heard(player)
            expect(payload).toMatchObject({
              action: "auto_file",
              inputs: {
                data: [{ id: "InputFileNode-1", file_path: "f1", name: "notes.md" }],
                questions: ["Who?", "When?", "Where?"]
              }
            })
            const begin = wire.begin("r1", wire.question("notes.md", idOf(payload)))
            say(begin, ...runs.batch.slice(1, 10))
            await page.locator("[data-role=progress]").getByText("1 of 3").waitFor()
            await page.getByRole("button", { name: "Stop the answer" }).waitFor()
            await visitor.shot(`22-batch-running-${shade}`)
            say(...runs.batch.slice(10))
            await page.locator("[data-role=progress]").getByText("3 of 3 answered").waitFor()
            await page.getByText("Not answered: the model refused").waitFor()
            expect(await page.locator("[data-role=row]").count()).toBe(3)
            await page.getByText("All answers together").waitFor()
            await visitor.shot(`23-batch-done-${shade}`)
          })
        })
      )

      it.scoped(`links a report's file and lists what is empty in it (${shade})`, () =>
        Effect.gen(function* () {
          const app = appOf(1, "Brief", { features: { report: true } })
          const { visitor, player, say } = yield* begun(app, { dark }, [
            [`GET /api/v1/flows/${wire.flowId}`, { data: { nodes: [], edges: [] } }]
          ])
          yield* Effect.promise(async () => {
            const { page } = visitor
            await page.getByRole("button", { name: "Write the report" }).click()
            const payload = await heard(player)
            expect(payload).toMatchObject({ action: "report", inputs: { data: [] } })
            say(wire.begin("r1", wire.question("", idOf(payload))), ...runs.report.slice(1))
            const link = page.getByRole("link", { name: /Brief\.docx/ })
            expect(await link.getAttribute("href")).toBe("/api/v1/files/key")
            await page.getByRole("list", { name: "Left empty" }).getByText("signature").waitFor()
            await visitor.shot(`24-report-${shade}`)
          })
        })
      )

      it.scoped(`leads through a workflow: a line, a form, a choice, a text to change (${shade})`, () =>
        Effect.gen(function* () {
          const app = appOf(10, "Letters")
          const { visitor, player, say } = yield* begun(app, { dark }, [
            [
              `POST /api/v1/upload/${wire.flowId}`,
              { file_path: "f1", file_id: "f1", file_name: "scan.png", bytes: 3 }
            ]
          ])
          yield* Effect.promise(async () => {
            const { page } = visitor
            await page.getByRole("button", { name: "Start Letters" }).click()
            const started = await heard(player)
            expect(started).toMatchObject({ action: "init_data", data: {} })
            const begin = { ...wire.begin("r1", wire.question("", idOf(started))) }
            say(begin, ...runs.workflowUntilInput.slice(1))
            await page.getByRole("button", { name: "One?" }).waitFor()
            const line = page.getByRole("textbox", { name: "Your reply" })
            await line.fill("Tea")
            await line.press("Enter")
            const first = await heard(player)
            expect(first).toMatchObject({
              action: "input",
              data: {
                input_1: {
                  data: { user_input: "Tea", dialog_files_content: [] },
                  message: "Tea",
                  message_id: 5
                }
              }
            })
            say(...runs.workflowUntilChoice(idOf(first)))
            await page.getByRole("button", { name: /steps ran/ }).click()
            await visitor.shot(`25-workflow-choice-${shade}`)
            await page.getByRole("button", { name: "Again" }).click()
            const second = await heard(player)
            expect(second).toMatchObject({
              data: { output_1: { data: { output_result: "b" }, message: "Again" } }
            })
            say({ ...runs.form, question: wire.question("Again", idOf(second), 9) })

            await page.getByRole("button", { name: "Send", exact: true }).click()
            await page.getByText("Fill this in.").waitFor()
            await page.getByText("Add a file.").waitFor()
            expect(await page.evaluate("document.activeElement?.tagName")).toBe("TEXTAREA")
            await visitor.shot(`26-form-errors-${shade}`)
            await page.keyboard.type("Ada")
            await page.getByLabel("Size").selectOption("Large")
            await page.getByLabel("X", { exact: true }).check()
            await page
              .locator("input[type=file]")
              .setInputFiles({ name: "scan.png", mimeType: "image/png", buffer: Buffer.from([1]) })
            await visitor.sees("added")
            await page.getByText("Add a file.").waitFor({ state: "detached" })
            await visitor.shot(`27-form-${shade}`)
            await page.getByRole("button", { name: "Send", exact: true }).click()
            const third = await heard(player)
            expect(third).toMatchObject({
              data: {
                input_2: {
                  data: { name: "Ada", size: "l", tags: ["x"], scan: ["f1"] },
                  message: "Your name: Ada\nSize: Large\nTags: X\nA scan: scan.png"
                }
              }
            })
            say({ ...runs.edit, question: wire.question("Ada", idOf(third), 32) })
            const version = page.getByLabel("Your version")
            expect(await version.inputValue()).toBe("Dear all")
            await version.fill("Dear Ada")
            await visitor.shot(`28-edit-${shade}`)
            await page.getByRole("button", { name: "Confirm" }).click()
            const fourth = await heard(player)
            expect(fourth).toMatchObject({ data: { output_2: { data: { output_result: "Dear Ada" } } } })
            say({ ...runs.node("start", "u9", "End"), question: wire.question("Dear Ada", idOf(fourth), 33) })
            say(runs.node("end", "u9", "End"), wire.close("r1"))
            await page.getByRole("button", { name: "Start again" }).waitFor()
            expect(visitor.errors).toEqual([])
          })
        })
      )

      it.scoped(`shows the passages an answer rests on, with file and page (${shade})`, () =>
        Effect.gen(function* () {
          const passage = {
            source: "notes.pdf",
            page: 3,
            chunk: "Ada wrote the first program.",
            right: true,
            file_url: "/api/v1/files/k"
          }
          const { visitor, player, say } = yield* begun(appOf(1, "Chat"), { dark }, [
            ["GET /api/v1/qa/keyword", ["program", "Ada"]],
            ["POST /api/v1/qa/chunk", [passage, { source: "", chunk: "", right: false, page: null }]]
          ])
          yield* Effect.promise(async () => {
            const { page } = visitor
            await visitor.ask("Who?")
            const payload = await heard(player)
            say(
              wire.begin("r1", wire.question("Who?", idOf(payload))),
              wire.frame("start", "answer", { run_id: "r1" }),
              wire.frame("end", "answer", { run_id: "r1", message: "Ada.", message_id: 9, source: 1 }),
              wire.close("r1")
            )
            await page.getByRole("button", { name: "Sources" }).click()
            const sheet = page.getByRole("dialog", { name: "Sources of this answer" })
            await sheet.getByText("Ada wrote the first program.").waitFor()
            await sheet.getByText("page 3").waitFor()
            await sheet.getByText("you may not read").waitFor()
            await visitor.shot(`29-sources-${shade}`)
            await page.keyboard.press("Escape")
            await sheet.waitFor({ state: "detached" })
          })
        })
      )

      it.scoped(`imports apps and says what each lacks (${shade})`, () =>
        Effect.gen(function* () {
          const { stage, visitor } = yield* begun(appOf(1, "Chat"), { dark })
          stage.rest.set("POST /api/v1/flows/import", [
            { name: "Contract check", id: wire.flowId, flow_type: 1, status: 1, lacks: [] },
            {
              name: "Market news",
              id: wire.flowId,
              flow_type: 1,
              status: 1,
              lacks: [{ node_id: "n", type: "BingSearchRun", reason: "needs a key of Bing" }]
            },
            { name: null, error: "it is no app: name and data are missing" }
          ])
          yield* Effect.promise(async () => {
            const { page } = visitor
            await page.goto(`${stage.url}/#/`)
            await page.getByRole("button", { name: "Import apps" }).click()
            const file = (text: string) => ({
              name: "apps.json",
              mimeType: "application/json",
              buffer: Buffer.from(text)
            })
            await page.locator("input[type=file]").setInputFiles(file("no json"))
            await page.getByRole("alert").getByText("This is not JSON").waitFor()
            await page.locator("input[type=file]").setInputFiles(file("[]"))
            await page.getByText("1 of 3 run here.").waitFor()
            await page.getByText("Lacks BingSearchRun: needs a key of Bing").waitFor()
            await page.getByText("Not imported: it is no app").waitFor()
            await visitor.shot(`30-import-${shade}`)
          })
        })
      )
    }

    it.scoped("says why a reply was not taken, and sends it again", () =>
      Effect.gen(function* () {
        const { visitor, player, say } = yield* begun(appOf(10, "Letters"))
        yield* Effect.promise(async () => {
          const { page } = visitor
          await page.getByRole("button", { name: "Start Letters" }).click()
          const started = await heard(player)
          say(wire.begin("r1", wire.question("", idOf(started))), ...runs.workflowUntilInput.slice(1))
          await page.getByRole("button", { name: "One?" }).click()
          const first = await heard(player)
          expect(first).toMatchObject({ data: { input_1: { message: "One?" } } })
          player.say({
            ...wire.frame("end", "error", {
              message: {
                status_code: 13007,
                status_message: "not understood",
                data: { exception: "too short" }
              },
              extra: JSON.stringify({ client_msg_id: idOf(first) })
            }),
            chat_id: player.query.get("chat_id") ?? ""
          })
          await visitor.sees(/Not taken: too short/)
          await visitor.shot("31-reply-refused")
          await page.getByRole("textbox", { name: "Your reply" }).waitFor()
          await page.getByRole("button", { name: "Send again" }).click()
          const again = await heard(player)
          expect(again).toEqual(first)
        })
      })
    )
  }
)
