import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestContext from "effect/TestContext"
import { makeFileLinks } from "../../src/knowledge/links.ts"
import { flowIds } from "../support/apps.ts"
import { isClose } from "../support/client.ts"
import { type Answer, at, startHttp, success } from "./support.ts"

const rowsOf = (answer: Answer): ReadonlyArray<unknown> => {
  const data = at(answer.body, "data")
  return Array.isArray(data) ? data : []
}

const each = (answer: Answer, field: string) => rowsOf(answer).map((row) => at(row, field))

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

const withChats = (rounds = 2) =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const admin = yield* server.register("root")
    const ada = yield* server.register("ada")
    const bob = yield* server.register("bob")
    const pairs = Array.from({ length: rounds }, (_, i) => [`question ${i}`, `answer ${i}`] as const)
    yield* server.chat(ada, "adas-chat", pairs, flowIds.echo)
    return { server, admin, ada, bob }
  })

it.scopedLive("history is the chat's messages, newest first, as Bisheng names their fields", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* withChats()
    const answer = yield* server.get(`/chat/history?chat_id=adas-chat&flow_id=${flowIds.echo}`, { as: ada })
    expect(answer.status).toBe(200)
    expect(each(answer, "message")).toEqual(["answer 1", "question 1", "answer 0", "question 0"])
    expect(rowsOf(answer)[0]).toEqual({
      id: expect.any(Number),
      is_bot: true,
      source: 0,
      type: "end",
      category: "answer",
      flow_id: flowIds.echo,
      chat_id: "adas-chat",
      user_id: ada.id,
      run_id: "adas-chat-1",
      liked: 0,
      solved: 0,
      copied: 0,
      sensitive_status: 0,
      message: "answer 1",
      intermediate_steps: "",
      files: "",
      extra: expect.any(String),
      remark: "",
      sender: "",
      receiver: null,
      create_time: isoTime,
      update_time: isoTime
    })
  })
)

it.scopedLive("history goes back page by page by the smallest id seen, without gaps or repeats", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* withChats(5)
    const seen: Array<unknown> = []
    let before = ""
    for (;;) {
      const page = yield* server.get(`/chat/history?chat_id=adas-chat&page_size=3&id=${before}`, { as: ada })
      const ids = each(page, "id")
      if (ids.length === 0) break
      seen.push(...ids)
      before = String(ids.at(-1))
    }
    expect(seen).toHaveLength(10)
    expect(new Set(seen).size).toBe(10)
    expect(seen).toEqual([...seen].sort((a, b) => Number(b) - Number(a)))
  })
)

it.scopedLive("history takes the app's id with dashes, and is empty for another app's", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* withChats()
    const dashed = flowIds.echo.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-").toUpperCase()
    const same = yield* server.get(`/chat/history?chat_id=adas-chat&flow_id=${dashed}`, { as: ada })
    expect(rowsOf(same)).toHaveLength(4)
    const other = yield* server.get(`/chat/history?chat_id=adas-chat&flow_id=${flowIds.skill}`, { as: ada })
    expect(other.body).toEqual(success([]))
  })
)

it.scopedLive("a chat that nobody has written in is empty", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* withChats()
    expect((yield* server.get("/chat/history?chat_id=new", { as: ada })).body).toEqual(success([]))
    const info = yield* server.get("/chat/info?chat_id=new", { as: ada })
    expect(info.status).toBe(404)
    expect(info.body).toMatchObject({ status_code: 404, data: null })
  })
)

it.scopedLive("a chat is for its owner and the admin; others get 403 and nothing of it", () =>
  Effect.gen(function* () {
    const { server, admin, ada, bob } = yield* withChats()
    for (const path of ["/chat/history?chat_id=adas-chat", "/chat/info?chat_id=adas-chat"]) {
      expect((yield* server.get(path, { as: ada })).status).toBe(200)
      expect((yield* server.get(path, { as: admin })).status).toBe(200)
      const refused = yield* server.get(path, { as: bob })
      expect(refused.status).toBe(403)
      expect(refused.body).toEqual({ status_code: 403, status_message: "this chat is not yours", data: null })
    }
    const kept = yield* server.ask("DELETE", "/chat/adas-chat", { as: bob })
    expect(kept.status).toBe(403)
    expect(rowsOf(yield* server.get("/chat/history?chat_id=adas-chat", { as: ada }))).toHaveLength(4)
  })
)

it.scopedLive("a chat says which app it is with", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* withChats()
    const answer = yield* server.get("/chat/info?chat_id=adas-chat", { as: ada })
    expect(answer.body).toEqual(
      success({
        chat_id: "adas-chat",
        flow_id: flowIds.echo,
        flow_type: 5,
        flow_name: "Echo",
        name: "",
        user_id: ada.id,
        like: 0,
        dislike: 0,
        copied: 0,
        sensitive_status: 0,
        create_time: isoTime,
        update_time: isoTime
      })
    )
  })
)

it.scopedLive("the list has one's own chats, latest first, each with its latest message", () =>
  Effect.gen(function* () {
    const { server, ada, bob } = yield* withChats()
    yield* server.chat(ada, "later", [["hello", "hi"]], flowIds.skill)
    yield* server.chat(bob, "bobs", [["mine", "yours"]], flowIds.echo)
    const list = yield* server.get("/chat/list?page=1&limit=10", { as: ada })
    expect(new Set(each(list, "chat_id"))).toEqual(new Set(["later", "adas-chat"]))
    expect(
      rowsOf(list)
        .map((row) => [at(row, "chat_id"), at(row, "latest_message", "message")])
        .sort()
    ).toEqual([
      ["adas-chat", "answer 1"],
      ["later", "hi"]
    ])
    expect(rowsOf(yield* server.get("/chat/list?page=2&limit=1", { as: ada }))).toHaveLength(1)
    expect(rowsOf(yield* server.get("/chat/list?page=3&limit=1", { as: ada }))).toEqual([])
    const ofApp = yield* server.get(`/chat/list?flow_id=${flowIds.skill}`, { as: ada })
    expect(each(ofApp, "chat_id")).toEqual(["later"])
    expect(rowsOf(yield* server.get("/chat/list?flow_type=1", { as: ada }))).toEqual([])
    expect(
      rowsOf(yield* server.get("/chat/list?flow_type=5&keyword=ech&page=&limit=", { as: ada }))
    ).toHaveLength(2)
    expect(rowsOf(yield* server.get("/chat/list?keyword=%25", { as: ada }))).toEqual([])
    expect(rowsOf(yield* server.get("/chat/list?keyword=%27%20OR%201%3D1--", { as: ada }))).toEqual([])
  })
)

it.scopedLive(
  "the list goes on after its last chat, without gaps or repeats, and may be narrowed meanwhile",
  () =>
    Effect.gen(function* () {
      const { server, ada } = yield* withChats()
      for (const name of ["one", "two", "three", "four"]) {
        yield* server.chat(ada, name, [["hello", "hi"]], flowIds.skill)
      }
      const whole = each(yield* server.get("/chat/list", { as: ada }), "chat_id")
      expect(whole).toHaveLength(5)
      const goOn = (path: string) =>
        Effect.gen(function* () {
          const seen: Array<unknown> = []
          let before = ""
          for (;;) {
            const page = yield* server.get(`${path}limit=2&before=${before}`, { as: ada })
            const last = rowsOf(page).at(-1)
            if (last === undefined) return seen
            seen.push(...each(page, "chat_id"))
            before = encodeURIComponent(`${at(last, "update_time")},${at(last, "chat_id")}`)
          }
        })
      expect(yield* goOn("/chat/list?")).toEqual(whole)
      const narrowed = whole.filter((chat) => chat !== "adas-chat")
      expect(yield* goOn(`/chat/list?flow_id=${flowIds.skill}&`)).toEqual(narrowed)
    })
)

it.scopedLive("a deleted chat is gone from everywhere, once, and leaves an audit row", () =>
  Effect.gen(function* () {
    const { server, ada } = yield* withChats()
    const deleted = yield* server.ask("DELETE", "/chat/adas-chat", { as: ada })
    expect(deleted.body).toEqual(success(null))
    expect(rowsOf(yield* server.get("/chat/list", { as: ada }))).toEqual([])
    expect((yield* server.get("/chat/info?chat_id=adas-chat", { as: ada })).status).toBe(404)
    expect((yield* server.get("/chat/history?chat_id=adas-chat", { as: ada })).body).toEqual(success([]))
    expect((yield* server.ask("DELETE", "/chat/adas-chat", { as: ada })).status).toBe(404)
    expect((yield* server.audit("adas-chat"))[0]).toEqual({ action: "chat.delete", userId: ada.id })
  })
)

it.scopedLive("deleting a chat ends the answer that is running in it", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    const socket = yield* server.socket(flowIds.gated, "running", ada)
    yield* socket.say({ inputs: { input: "go on for ever" } })
    yield* server.gate(0).begun
    expect((yield* server.ask("DELETE", "/chat/running", { as: ada })).status).toBe(200)
    yield* server.gate(0).interrupted
    yield* socket.until(isClose, "the run's close")
  })
)

it.scopedLive("the apps one can chat with are the online ones, without what is inside them", () =>
  Effect.gen(function* () {
    const { server, ada, bob } = yield* withChats()
    const make = (name: string, status: number) =>
      server.post(
        "/assistant",
        { name, prompt: "Be secretive.", guide_word: "Hello!", guide_question: ["Who?"], status },
        { as: ada }
      )
    yield* make("Shown", 2)
    yield* make("Hidden", 1)
    const online = yield* server.get("/chat/online", { as: bob })
    expect(each(online, "name")).toEqual(["Shown"])
    expect(rowsOf(online)[0]).toMatchObject({
      flow_type: 5,
      status: 2,
      guide_word: "Hello!",
      guide_question: ["Who?"],
      write: false
    })
    expect(online.text).not.toContain("secretive")
    expect(rowsOf(yield* server.get("/chat/online?flow_type=1", { as: bob }))).toEqual([])
    expect(rowsOf(yield* server.get("/chat/online?keyword=sho", { as: bob }))).toHaveLength(1)
  })
)

it.scopedLive("parameters that make no sense are 422 and named", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    for (const [path, field] of [
      ["/chat/history", "chat_id"],
      ["/chat/history?chat_id=", "chat_id"],
      ["/chat/history?chat_id=a%20b", "chat_id"],
      ["/chat/history?chat_id=..%2F..%2Fetc", "chat_id"],
      [`/chat/history?chat_id=${"x".repeat(65)}`, "chat_id"],
      ["/chat/history?chat_id=a&chat_id=b", "chat_id"],
      ["/chat/history?chat_id=a&id=-1", "id"],
      ["/chat/history?chat_id=a&id=1.5", "id"],
      ["/chat/history?chat_id=a&id=99999999999999999999", "id"],
      ["/chat/history?chat_id=a&id=1;DROP%20TABLE%20chat_message", "id"],
      ["/chat/history?chat_id=a&page_size=0", "page_size"],
      ["/chat/history?chat_id=a&page_size=101", "page_size"],
      ["/chat/history?chat_id=a&page_size=ten", "page_size"],
      ["/chat/history?chat_id=a&flow_id=xyz", "flow_id"],
      ["/chat/info", "chat_id"],
      ["/chat/list?page=0", "page"],
      ["/chat/list?page=1e9", "page"],
      ["/chat/list?limit=Infinity", "limit"],
      ["/chat/list?before=yesterday", "before"],
      ["/chat/list?before=2026-99-01T00:00:00.000Z,a", "before"],
      ["/chat/list?before=2026-01-01T00:00:00.000Z,", "before"],
      ["/chat/list?flow_type=7", "flow_type"],
      [`/chat/list?keyword=${"x".repeat(300)}`, "keyword"]
    ] as const) {
      const answer = yield* server.get(path, { as: ada })
      expect(answer.status, path).toBe(422)
      expect(answer.body).toMatchObject({ status_code: 422, data: null })
      expect(at(answer.body, "status_message"), path).toMatch(new RegExp(`^${field}: `))
    }
    expect((yield* server.ask("DELETE", "/chat/a%20b", { as: ada })).status).toBe(422)
  })
)

it.scopedLive("links to files in old messages work for who reads them, where they may have the file", () =>
  Effect.gen(function* () {
    const secret = "a secret of the links' tests, long enough for HS256"
    const server = yield* startHttp({ settings: { authSecret: Option.some(Redacted.make(secret)) } })
    const root = yield* server.register("root")
    const ada = yield* server.register("ada")
    const bob = yield* server.register("bob")
    const mine = yield* server.madeFile(ada, flowIds.echo, "c", "my report")
    const bobs = yield* server.madeFile(bob, flowIds.echo, "d", "bob's report")
    // Signed at the beginning of 1970.
    const expired = (id: string) =>
      Effect.map(
        Effect.provide(makeFileLinks(Redacted.make(secret), "1 hour").sign(id), TestContext.TestContext),
        ({ url }) => url
      )
    const old = yield* expired(mine)
    const files = [
      { file_url: old, file_name: "report.txt", note: 1 },
      { file_url: yield* expired("0".repeat(32)), file_name: "gone" },
      { file_url: yield* expired(bobs), file_name: "forged" },
      { file_url: "https://example.com/a.txt", file_name: "elsewhere" },
      { file_id: mine },
      "odd"
    ]
    yield* server.answered(ada, "c", flowIds.echo, "done", [], JSON.stringify(files))
    yield* server.answered(ada, "broken", flowIds.echo, "done", [], "[/api/v1/files/")
    expect((yield* server.get(old.slice("/api/v1".length))).status).toBe(410)
    for (const as of [ada, root]) {
      const answer = yield* server.get("/chat/history?chat_id=c", { as })
      const shown: ReadonlyArray<unknown> = JSON.parse(String(at(rowsOf(answer)[0], "files")))
      expect(shown[0]).toEqual({ ...Object(files[0]), file_url: expect.stringContaining(mine) })
      const file = yield* server.get(String(at(shown[0], "file_url")).slice("/api/v1".length))
      expect([file.status, file.text]).toEqual([200, "my report"])
      expect(shown[1]).toEqual(files[1])
      if (as === ada) expect(shown.slice(2)).toEqual(files.slice(2))
    }
    const broken = yield* server.get("/chat/history?chat_id=broken", { as: ada })
    expect(at(rowsOf(broken)[0], "files")).toBe("[/api/v1/files/")
  })
)
