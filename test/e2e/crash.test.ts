import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { draftWorkflow } from "../../src/app/seed/workflow.ts"
import { streamed } from "../support/client.ts"
import { freshDatabase } from "../support/database.ts"
import {
  call,
  type Environment,
  guest,
  historyOf,
  newAssistant,
  openSocket,
  startProcess,
  tempDir
} from "../support/process.ts"
import { echoUpstream, pacedUpstream } from "../support/upstream.ts"

const storages = {
  SQLite: Effect.succeed<Environment>({}),
  MariaDB: Effect.map(freshDatabase, (url): Environment => ({ DATABASE_URL: url }))
} as const

for (const [name, storage] of Object.entries(storages)) {
  describe(`a server killed while a workflow waits for a person (${name})`, () => {
    it.scopedLive("is followed by one that asks the same again, and goes on with the reply", () =>
      Effect.gen(function* () {
        const environment = {
          ...(yield* storage),
          DATA_DIR: yield* tempDir,
          OPENAI_BASE_URL: yield* echoUpstream,
          OPENAI_API_KEY: "test"
        }
        const life = yield* Scope.make()
        const first = yield* Scope.extend(startProcess(environment), life)
        const token = yield* guest(first)
        const { id } = draftWorkflow
        const client = yield* openSocket(first, id, "c1", token)
        yield* client.say({ action: "init_data", flow_id: id, chat_id: "c1" })
        const asked = yield* client.until(({ category }) => category === "input", "a prompt")
        yield* first.signal("SIGKILL")
        yield* first.exited
        yield* Scope.close(life, Exit.void)

        const second = yield* startProcess(environment)
        const again = yield* openSocket(second, id, "c1", token)
        yield* again.say({ action: "check_status", flow_id: id, chat_id: "c1" })
        const repeated = yield* again.until(({ category }) => category === "input", "the same prompt")
        expect(repeated.message_id).toBe(asked.message_id)
        expect(repeated.run_id).toBe(asked.run_id)
        const data = { input_topic: { data: { user_input: "recovery" }, message: "recovery", message_id: 1 } }
        yield* again.say({ action: "input", flow_id: id, chat_id: "c1", data })
        yield* again.until(({ category }) => category === "output_with_choose_msg", "a choice")
        const rows = yield* historyOf(second, token, id, "c1")
        expect(rows.map(({ category }) => category)).toEqual([
          "input",
          "question",
          "stream_msg",
          "output_with_choose_msg"
        ])
      })
    )
  })

  describe(`a server killed in the middle of an answer (${name})`, () => {
    it.scopedLive("leaves the question, the partial answer up to the last second, and no run running", () =>
      Effect.gen(function* () {
        const upstream = yield* pacedUpstream({ tokens: 100_000, delay: 10 })
        const environment = {
          ...(yield* storage),
          DATA_DIR: yield* tempDir,
          OPENAI_BASE_URL: upstream.url,
          OPENAI_API_KEY: "test"
        }
        const life = yield* Scope.make()
        const first = yield* Scope.extend(startProcess(environment), life)
        const token = yield* guest(first)
        const flowId = yield* newAssistant(first, token)
        const client = yield* openSocket(first, flowId, "c1", token)
        yield* client.say({ inputs: { input: "a long story" } })
        // What had come a second ago must be there after the crash: 100 tokens a second, so 300 mean the first 150.
        yield* client.until(() => streamed(client.frames).includes("w300 "))
        const seen = streamed(client.frames)
        yield* first.signal("SIGKILL")
        yield* first.exited
        yield* Scope.close(life, Exit.void)

        const second = yield* startProcess(environment)
        const rows = yield* historyOf(second, token, flowId, "c1")
        expect(rows.map(({ category, remark }) => [category, remark])).toEqual([
          ["question", ""],
          ["answer", "break_answer"]
        ])
        const kept = String(rows[1]?.["message"])
        expect(kept).toContain("w150 ")
        expect(kept.startsWith(seen.slice(0, kept.length)) || seen.startsWith(kept)).toBe(true)

        // The session goes on where it broke off.
        const again = yield* openSocket(second, flowId, "c1", token)
        yield* again.say({ inputs: { input: "tokens=3 and now a short one" } })
        yield* again.until(({ type }) => type === "close")
        expect((yield* historyOf(second, token, flowId, "c1")).map(({ category }) => category)).toEqual([
          "question",
          "answer",
          "question",
          "answer"
        ])
      })
    )

    it.scopedLive(
      "ends the model's request when it is stopped: its socket closes, one chunk more at most",
      () =>
        Effect.gen(function* () {
          const upstream = yield* pacedUpstream({ tokens: 100_000, delay: 20 })
          const server = yield* startProcess({
            ...(yield* storage),
            DATA_DIR: yield* tempDir,
            OPENAI_BASE_URL: upstream.url,
            OPENAI_API_KEY: "test"
          })
          const token = yield* guest(server)
          const flowId = yield* newAssistant(server, token)
          const client = yield* openSocket(server, flowId, "c1", token)
          yield* client.say({ inputs: { input: "go" } })
          yield* client.until(() => streamed(client.frames).includes("w5 "))
          yield* client.say({ action: "stop" })
          yield* client.until(({ type }) => type === "close")
          const stats = yield* upstream.statsWhen(({ active }) => active === 0)
          expect(stats.closedByClient).toBe(1)
          const received = streamed(client.frames).trim().split(" ").length
          expect(stats.chunks - received).toBeLessThanOrEqual(1)
          expect(stats.chunksAfterClose).toBeLessThanOrEqual(1)
        })
    )

    it.scopedLive("ends by itself on SIGTERM, storing what ran", () =>
      Effect.gen(function* () {
        const upstream = yield* pacedUpstream({ tokens: 100_000, delay: 10 })
        const environment = {
          ...(yield* storage),
          DATA_DIR: yield* tempDir,
          DRAIN_TIMEOUT: "0",
          OPENAI_BASE_URL: upstream.url,
          OPENAI_API_KEY: "test"
        }
        const first = yield* startProcess(environment)
        const token = yield* guest(first)
        const flowId = yield* newAssistant(first, token)
        const client = yield* openSocket(first, flowId, "c1", token)
        yield* client.say({ inputs: { input: "go" } })
        yield* client.until(() => streamed(client.frames).includes("w5 "))
        yield* first.signal("SIGTERM")
        expect(yield* client.closed).toMatchObject({ code: 1012 })
        expect(client.frames.at(-1)?.type).toBe("close")
        yield* first.exited
        const second = yield* startProcess(environment)
        const rows = yield* historyOf(second, token, flowId, "c1")
        expect(rows.map(({ remark }) => remark)).toEqual(["", "break_answer"])
        expect(streamed(client.frames)).toBe(rows[1]?.["message"])
      })
    )
  })
}

describe("a fresh server", () => {
  it.scopedLive("says its address, where data lives and which model answers, and has apps to try", () =>
    Effect.gen(function* () {
      const dir = yield* tempDir
      const server = yield* startProcess({ DATA_DIR: dir })
      expect(server.output()).toContain(server.url)
      expect(server.output()).toContain(dir)
      expect(server.output()).toContain("offline")
      const token = yield* guest(server)
      const apps = yield* call(server, "GET", "/api/v1/chat/online", { token })
      expect(
        apps.map(({ flow_type }: { flow_type: number }) => flow_type).sort((a: number, b: number) => a - b)
      ).toEqual([1, 1, 1, 1, 5, 10])
    })
  )

  it.scopedLive("refuses to start on a port in use, and says what to do", () =>
    Effect.gen(function* () {
      const first = yield* startProcess({ DATA_DIR: yield* tempDir })
      const second = yield* Effect.either(
        startProcess({ DATA_DIR: yield* tempDir, PORT: String(first.port) })
      )
      const said = Either.isLeft(second) ? second.left.message : "it started"
      expect(said).toContain(`port ${first.port} is in use; set PORT to another one`)
    })
  )
})
