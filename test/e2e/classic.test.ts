/** Every kind of built-in app, driven by a client that knows nothing but Bisheng's own wire. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { batchSkill } from "../../src/app/seed/batch.ts"
import { docsAssistant } from "../../src/app/seed/docs.ts"
import { groupChat } from "../../src/app/seed/group.ts"
import { reportSkill } from "../../src/app/seed/report.ts"
import { draftWorkflow } from "../../src/app/seed/workflow.ts"
import { ClassicClient } from "../support/classic.ts"
import { documentText, upload } from "../support/driving.ts"
import { guest, startProcess, tempDir } from "../support/process.ts"
import { echoUpstream } from "../support/upstream.ts"

const withServer = <A>(body: (person: { url: string; token: string }) => Promise<A>) =>
  Effect.gen(function* () {
    const server = yield* startProcess({
      OPENAI_BASE_URL: yield* echoUpstream,
      OPENAI_API_KEY: "test",
      DATA_DIR: yield* tempDir
    })
    const token = yield* guest(server)
    return yield* Effect.promise(() => body({ url: server.url, token }))
  })

describe("a client of Bisheng's", () => {
  it.scopedLive("talks to an assistant, and its stop after the end harms nothing", () =>
    withServer(async ({ url, token }) => {
      const client = new ClassicClient(url, docsAssistant.id, "c1", token)
      for (const [i, text] of ["one", "two", "three"].entries()) {
        await client.send({ inputs: { input: text } })
        // Each answer's `end_cover` is answered with a stop, which is answered with a close of its own.
        await client.until("close", () => client.closes >= (i + 1) * 2 && !client.busy)
        expect(client.bubbles.findLast(({ category }) => category === "answer")?.text).toContain(text)
      }
      expect(client.errors).toEqual([])
      client.drop()
    })
  )

  it.scopedLive("takes its turn in a group chat after its connection was lost", () =>
    withServer(async ({ url, token }) => {
      const client = new ClassicClient(url, groupChat.id, "c1", token)
      await client.send({ inputs: { chat_topic: "tea" } })
      await client.until("one's turn", () =>
        client.bubbles.some(({ receiver }) => receiver?.["is_self"] === true)
      )
      client.drop()
      await client.send({ action: "continue", inputs: "exit" })
      await client.until("close", () => client.closes === 1)
      expect(client.errors).toEqual([])
      expect(client.bubbles.some(({ sender }) => sender === "Researcher" || sender === "Critic")).toBe(true)
      expect(client.names.slice(-3)).toEqual(["start/divider", "end/divider", "close/processing"])
      client.drop()
    })
  )

  it.scopedLive("has a list of questions answered from its file, and reads a report of them", () =>
    withServer(async ({ url, token }) => {
      const file = await upload({ url, token }, batchSkill.id, "annual.md", documentText)
      const client = new ClassicClient(url, batchSkill.id, "c1", token)
      await client.send({
        action: "auto_file",
        inputs: { data: [{ id: "InputFileNode-file", file_path: file.file_path, name: file.file_name }] }
      })
      await client.until("close", () => client.closes === 1)
      expect(client.errors).toEqual([])
      const report = client.bubbles.findLast(({ category }) => category === "report")
      expect(report?.steps).toContain("### What is this document about?")
      expect(report?.steps).toContain("Kestrel Windworks")
      client.drop()
    })
  )

  it.scopedLive("gets a Word file", () =>
    withServer(async ({ url, token }) => {
      const client = new ClassicClient(url, reportSkill.id, "c1", token)
      await client.send({ action: "report", inputs: {} })
      await client.until("close", () => client.closes === 1)
      expect(client.errors).toEqual([])
      const file = client.bubbles.findLast(({ files }) => files.length > 0)?.files[0]
      expect(file?.file_name).toBe("Brief.docx")
      const answer = await fetch(url + (file?.file_url ?? ""))
      expect(answer.status).toBe(200)
      expect(
        Buffer.from(await answer.arrayBuffer())
          .subarray(0, 2)
          .toString()
      ).toBe("PK")
      client.drop()
    })
  )

  it.scopedLive("goes on with a workflow from another socket, and ends it by its choice", () =>
    withServer(async ({ url, token }) => {
      const first = new ClassicClient(url, draftWorkflow.id, "c1", token)
      await first.send({ action: "check_status" })
      await first.until("close", () => first.closes === 1)
      await first.send({ action: "init_data", data: { nodes: [], edges: [] } })
      await first.until("a prompt", () => first.prompt("input") !== undefined)
      first.drop()
      const second = new ClassicClient(url, draftWorkflow.id, "c1", token)
      await second.send({ action: "check_status" })
      await second.until("the prompt again", () => second.prompt("input") !== undefined)
      await second.send({
        action: "input",
        data: { input_topic: { data: { user_input: "stop" }, message: "stop", message_id: 1 } }
      })
      await second.until("a choice", () => second.prompt("output_with_choose_msg") !== undefined)
      await second.send({
        action: "input",
        data: { output_choice: { data: { output_result: "c0ffee01" }, message: "", message_id: 2 } }
      })
      await second.until("close", () => second.closes === 1)
      expect(second.errors).toEqual([])
      expect(second.bubbles.find(({ category }) => category === "stream_msg")?.text).toContain("stop")
      second.drop()
    })
  )
})
