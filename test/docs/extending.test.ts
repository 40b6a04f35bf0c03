import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { auditFile } from "../../docs/examples/auditFile.ts"
import { countdownId, withCountdown } from "../../docs/examples/countdown.ts"
import { withCountWords } from "../../docs/examples/countWords.ts"
import { withShout } from "../../docs/examples/shout.ts"
import { Builder } from "../../src/app/Builder.ts"
import { Deltas, silent } from "../../src/protocol/RunEvent.ts"
import { Audit } from "../../src/storage/Audit.ts"
import { edge, node, skillRecord } from "../app/graphs.ts"
import { flowIds } from "../support/apps.ts"
import { builderNeeds } from "../support/builder.ts"
import { isClose, streamed } from "../support/client.ts"
import { tempDir } from "../support/process.ts"
import { startServer } from "../support/server.ts"

const docs = fileURLToPath(new URL("../../docs", import.meta.url))

describe("docs/extending.md", () => {
  it("shows the examples as they are", () => {
    const page = readFileSync(join(docs, "extending.md"), "utf8")
    for (const name of readdirSync(join(docs, "examples"))) {
      expect(page).toContain(readFileSync(join(docs, "examples", name), "utf8"))
    }
  })

  it.scopedLive("an action of your own runs like the built-in ones", () =>
    Effect.gen(function* () {
      const { connect, messages } = yield* startServer({}, { actions: withCountWords })
      const client = yield* connect(flowIds.echo, { chat: "c1" })
      yield* client.say({ action: "count_words", inputs: { text: "one two three" } })
      yield* client.until(isClose)
      expect((yield* messages("c1")).map(({ message }) => message)).toEqual(["one two three", "3 words"])
      yield* client.say({ action: "count_words", inputs: {} })
      yield* client.until(({ category }) => category === "error")
    })
  )

  it.scopedLive("an app of your own streams, and its answer covers what was streamed", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer({}, { catalogue: withCountdown })
      const client = yield* connect(countdownId, { chat: "c1" })
      yield* client.say({ inputs: { input: "4" } })
      yield* client.until(isClose)
      expect(streamed(client.frames)).toBe("1… 2… 3… 4… ")
      expect(client.frames.find(({ type }) => type === "end_cover")?.message).toBe("Lift-off!")
      const other = yield* connect(flowIds.echo, { chat: "c2" })
      yield* other.say({ inputs: { input: "still there" } })
      yield* other.until(isClose)
    })
  )

  it.effect("a type of node of your own is built into a graph like the others", () =>
    Effect.gen(function* () {
      const builder = yield* Builder.make()
      const graph = {
        nodes: [
          node("chain", "LLMChain"),
          node("prompt", "PromptTemplate", { template: "Say {word}" }),
          node("model", "ChatOpenAI"),
          node("loud", "Shout", { mark: "!!" })
        ],
        edges: [
          edge("prompt", "chain", "prompt"),
          edge("model", "chain", "llm"),
          edge("chain", "loud", "chain")
        ]
      }
      expect(yield* builder.lacks(1, graph)).toEqual([])
      const app = yield* builder.build(skillRecord(graph))
      const events = yield* app
        .answer({ text: "hi", inputs: {}, userId: 1, history: [] })
        .pipe(Stream.runCollect, Effect.provideService(Deltas, silent))
      expect([...events].at(-1)).toMatchObject({ _tag: "Answered", text: "OK!!" })
      const wrong = {
        ...graph,
        nodes: graph.nodes.map((each) => (each.id === "loud" ? node("loud", "Shout", { mark: 7 }) : each))
      }
      expect(yield* Effect.flip(builder.build(skillRecord(wrong)))).toMatchObject({
        reason: expect.stringContaining('"loud" (Shout)')
      })
    }).pipe(Effect.provide(Layer.merge(builderNeeds, withShout)))
  )

  it.scopedLive("a storage of your own keeps what it is given, newest first, over a restart", () =>
    Effect.gen(function* () {
      const path = join(yield* tempDir, "audit.jsonl")
      const entry = { userId: 1, action: "chat.create", objectId: "c1", ip: "127.0.0.1" }
      const add = (objectId: string) => Effect.flatMap(Audit, (audit) => audit.add({ ...entry, objectId }))
      yield* Effect.forEach(["c1", "c2", "c1"], add, { concurrency: "unbounded" }).pipe(
        Effect.provide(auditFile(path))
      )
      const list = (objectId: string | null) =>
        Effect.flatMap(Audit, (audit) => audit.list({ objectId, limit: 2 })).pipe(
          Effect.provide(auditFile(path))
        )
      expect((yield* list(null)).map(({ id }) => id)).toEqual([3, 2])
      expect((yield* list("c1")).map(({ objectId }) => objectId)).toEqual(["c1", "c1"])
    })
  )
})
