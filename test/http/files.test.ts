import { readdirSync } from "node:fs"
import { request as rawRequest } from "node:http"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestContext from "effect/TestContext"
import { makeFileLinks } from "../../src/knowledge/links.ts"
import { flowIds } from "../support/apps.ts"
import { type Answer, at, type Someone, startHttp, textAt } from "./support.ts"

const secret = "a secret of the files' tests, long enough for HS256"

const people = Effect.gen(function* () {
  const server = yield* startHttp({
    settings: { maxUploadBytes: 100_000, authSecret: Option.some(Redacted.make(secret)) }
  })
  const root = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.register("bob")
  const make = (status: number) =>
    Effect.map(
      server.post("/assistant", { name: "Helper", prompt: "Help.", status }, { as: ada }),
      (answer) => textAt(answer, "id")
    )
  const upload = (as: Someone, flowId: string, name: string, content: string, query = "") => {
    const form = new FormData()
    form.append("file", new Blob([content]), name)
    return server.ask("POST", `/upload/${flowId}${query}`, { as, body: form })
  }
  /** A link as the answer gave it, followed without a token. */
  const follow = (answer: Answer) => server.get(textAt(answer, "file_url").slice("/api/v1".length))
  const onDisk = () => ["files", "incoming"].flatMap((folder) => readdirSync(join(server.dataDir, folder)))
  return { server, root, ada, bob, make, upload, follow, onDisk }
})

const idsOf = (answer: Answer): ReadonlyArray<unknown> => {
  const rows = at(answer.body, "data", "data")
  return Array.isArray(rows) ? rows.map((row) => at(row, "file_id")) : []
}

it.scopedLive("a signed link gives the file to whoever has it, to be saved under its name", () =>
  Effect.gen(function* () {
    const { ada, make, upload, follow } = yield* people
    const name = `Bericht "2026" (neu) 报告's.html`
    const answer = yield* follow(yield* upload(ada, yield* make(1), name, "<script>alert('Ä')</script>"))
    expect(answer.status).toBe(200)
    expect(answer.text).toBe("<script>alert('Ä')</script>")
    expect(answer.headers.get("content-type")).toBe("application/octet-stream")
    expect(answer.headers.get("content-length")).toBe("28")
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
    expect(answer.headers.get("content-security-policy")).toContain("sandbox")
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="Bericht _2026_ (neu) __'s.html"; filename*=UTF-8''Bericht%20%222026%22%20%28neu%29%20%E6%8A%A5%E5%91%8A%27s.html`
    )
  })
)

it.scopedLive("a link that is forged is 403, one that expired 410, one to a deleted file 404", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload, follow } = yield* people
    const given = yield* upload(ada, yield* make(1), "a.txt", "a")
    const id = textAt(given, "file_id")
    const signed = (key: string) => makeFileLinks(Redacted.make(key), "1 hour").sign(id)
    const forged = yield* signed("another secret")
    // Signed at the beginning of 1970.
    const expired = yield* Effect.provide(signed(secret), TestContext.TestContext)
    for (const [url, status] of [
      [forged.url, 403],
      [expired.url, 410],
      ["/api/v1/files/nonsense", 403],
      [`/api/v1/files/${encodeURIComponent("../auth_secret")}`, 403],
      [`/api/v1/files/${"x".repeat(90)}`, 403],
      [`/api/v1/files/${"x".repeat(5_000)}`, 404]
    ] as const) {
      const answer = yield* server.get(url.slice("/api/v1".length))
      expect(answer.status, url).toBe(status)
      expect(at(answer.body, "status_code")).toBe(status)
    }
    expect((yield* follow(given)).status).toBe(200)
    expect((yield* server.ask("DELETE", `/files/${id}`, { as: ada })).status).toBe(200)
    expect((yield* follow(given)).status).toBe(404)
    expect(yield* server.audit(id)).toEqual([{ action: "file.delete", userId: ada.id }])
  })
)

it.scopedLive("by its id a file is given to those who may read it, when they are signed in", () =>
  Effect.gen(function* () {
    const { server, root, ada, bob, make, upload } = yield* people
    const online = yield* make(2)
    const byAda = textAt(yield* upload(ada, online, "a.txt", "ada's"), "file_id")
    const byBob = textAt(yield* upload(bob, online, "b.txt", "bob's"), "file_id")
    const status = (id: string, as?: Someone) =>
      Effect.map(server.get(`/files/${id}`, as === undefined ? {} : { as }), (answer) => answer.status)
    expect(yield* status(byAda)).toBe(401)
    expect(yield* status(byAda, ada)).toBe(200)
    expect(yield* status(byAda, bob)).toBe(200)
    expect(yield* status(byBob, bob)).toBe(200)
    expect(yield* status(byBob, ada)).toBe(403)
    expect(yield* status(byBob, root)).toBe(200)
    expect(yield* status("0".repeat(32), root)).toBe(404)
  })
)

it.scopedLive("one's own files are listed and deleted, nobody else's", () =>
  Effect.gen(function* () {
    const { server, root, ada, bob, make, upload, onDisk } = yield* people
    const flowId = yield* make(2)
    const byAda = textAt(yield* upload(ada, flowId, "a.txt", "a"), "file_id")
    const byBob = textAt(yield* upload(bob, flowId, "b.txt", "b", "?chat_id=bobs-chat"), "file_id")
    const listed = yield* server.get("/files", { as: bob })
    expect(at(listed.body, "data")).toMatchObject({
      total: 1,
      data: [
        {
          file_id: byBob,
          file_name: "b.txt",
          flow_id: flowId,
          chat_id: "bobs-chat",
          purpose: "document",
          media_type: "text/plain",
          bytes: 1
        }
      ]
    })
    expect(idsOf(yield* server.get(`/files?flow_id=${"0".repeat(32)}`, { as: bob }))).toEqual([])
    expect(idsOf(yield* server.get(`/files?flow_id=${flowId}&chat_id=bobs-chat`, { as: bob }))).toEqual([
      byBob
    ])
    expect(idsOf(yield* server.get("/files?page=2&limit=1", { as: bob }))).toEqual([])
    for (const query of ["page=0", "limit=1000", "flow_id=x", "chat_id=a%20b"]) {
      expect((yield* server.get(`/files?${query}`, { as: bob })).status, query).toBe(422)
    }
    const remove = (id: string, as: Someone) => server.ask("DELETE", `/files/${id}`, { as })
    expect((yield* remove(byAda, bob)).status).toBe(403)
    expect((yield* remove("0".repeat(32), bob)).status).toBe(404)
    expect((yield* remove("nonsense", bob)).status).toBe(422)
    expect((yield* remove(byBob, bob)).status).toBe(200)
    expect((yield* remove(byBob, bob)).status).toBe(404)
    expect((yield* remove(byAda, root)).status).toBe(200)
    expect((yield* server.get("/files")).status).toBe(401)
    expect(onDisk()).toEqual([])
  })
)

it.scopedLive("a file that belongs to a chat is deleted with it, and is no document of the whole app", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload, follow, onDisk } = yield* people
    const flowId = yield* make(2)
    yield* server.chat(ada, "adas-chat", [["why?", "because"]], flowId)
    const form = new FormData()
    form.append("file", new Blob(["in the form"]), "form.txt")
    // Behind the file, as browsers send what was appended last.
    form.append("chat_id", "adas-chat")
    const byForm = yield* server.ask("POST", `/upload/${flowId}`, { as: ada, body: form })
    const byQuery = yield* upload(ada, flowId, "query.txt", "in the query", "?chat_id=adas-chat")
    const stays = textAt(yield* upload(ada, flowId, "stays.txt", "of the app"), "file_id")
    expect((yield* server.files(flowId, [ada.id])).map(({ id }) => id)).toEqual([stays])
    expect((yield* follow(byForm)).text).toBe("in the form")
    expect((yield* server.ask("DELETE", "/chat/adas-chat", { as: ada })).status).toBe(200)
    expect((yield* follow(byForm)).status).toBe(404)
    expect((yield* follow(byQuery)).status).toBe(404)
    expect(idsOf(yield* server.get("/files", { as: ada }))).toEqual([stays])
    expect(onDisk()).toEqual([stays])
  })
)

it.scopedLive("a file cannot be put into somebody else's chat, or into one of another app", () =>
  Effect.gen(function* () {
    const { server, ada, bob, make, upload, onDisk } = yield* people
    const flowId = yield* make(2)
    yield* server.chat(ada, "adas-chat", [["why?", "because"]], flowId)
    yield* server.chat(bob, "bobs-chat", [["why?", "because"]], flowIds.echo)
    for (const [query, status] of [
      ["?chat_id=adas-chat", 403],
      ["?chat_id=bobs-chat", 422],
      ["?chat_id=a%20b", 422],
      [`?chat_id=${"x".repeat(65)}`, 422]
    ] as const) {
      expect((yield* upload(bob, flowId, "a.txt", "a", query)).status, query).toBe(status)
    }
    const form = new FormData()
    form.append("file", new Blob(["x"]), "a.txt")
    form.append("chat_id", "adas-chat")
    expect((yield* server.ask("POST", `/upload/${flowId}`, { as: bob, body: form })).status).toBe(403)
    expect(onDisk()).toEqual([])
  })
)

/** 200 MB by a client that writes as fast as the server reads; answers the status and what was sent of it. */
const send200MB = (origin: string, flowId: string, as: Someone, headers: Record<string, string>) =>
  Effect.async<{ readonly status: number; readonly text: string; readonly sent: number }, Error>((resume) => {
    const total = 200 * 1024 * 1024
    const piece = Buffer.alloc(256 * 1024, "x")
    let sent = 0
    const request = rawRequest(`${origin}/api/v1/upload/${flowId}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${as.token}`,
        "content-type": "multipart/form-data; boundary=b",
        ...headers
      }
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.on("response", (response) => {
      let text = ""
      response.on("data", (chunk) => {
        text += String(chunk)
      })
      response.on("end", () => {
        resume(Effect.succeed({ status: response.statusCode ?? 0, text, sent }))
        request.destroy()
      })
    })
    request.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n')
    const next = (): void => {
      if (request.destroyed || sent >= total) return
      sent += piece.length
      request.write(piece, next)
    }
    if (headers["content-length"] === undefined) next()
    else request.flushHeaders()
  })

it.scopedLive("an upload of 200 MB is refused by its head alone where it says its size", () =>
  Effect.gen(function* () {
    const { server, ada, make, onDisk } = yield* people
    const answer = yield* send200MB(server.origin, yield* make(1), ada, {
      "content-length": String(200 * 1024 * 1024)
    })
    expect(answer.status).toBe(413)
    expect(answer.text).toContain('"limit_bytes":100000')
    expect(answer.sent).toBe(0)
    expect(onDisk()).toEqual([])
  })
)

it.scopedLive(
  "an upload of 200 MB that does not say its size is refused at the limit, and nothing of it is kept",
  () =>
    Effect.gen(function* () {
      const { server, ada, make, onDisk } = yield* people
      const before = process.memoryUsage().rss
      const answer = yield* send200MB(server.origin, yield* make(1), ada, { "transfer-encoding": "chunked" })
      expect(answer.status).toBe(413)
      expect(answer.sent).toBeLessThan(50 * 1024 * 1024)
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
      expect(onDisk()).toEqual([])
      expect((yield* server.get("/files", { as: ada })).status).toBe(200)
    })
)

it.scopedLive("more uploads of one user at a time than allowed are 429, and say when to come again", () =>
  Effect.gen(function* () {
    const { server, ada, bob, make, upload, onDisk } = yield* people
    const flowId = yield* make(2)
    const form = { "content-type": "multipart/form-data; boundary=b", "content-length": "50000" }
    const begin = Effect.acquireRelease(
      Effect.sync(() => {
        const request = rawRequest(`${server.origin}/api/v1/upload/${flowId}`, {
          method: "POST",
          headers: { authorization: `Bearer ${ada.token}`, ...form }
        })
        request.on("error", () => undefined)
        request.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello')
        return request
      }),
      (request) => Effect.sync(() => request.destroy())
    )
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.replicateEffect(begin, 4)
        yield* until(() => onDisk().length === 4)
        const refused = yield* upload(ada, flowId, "b.txt", "b")
        expect(refused.status).toBe(429)
        expect(refused.headers.get("retry-after")).toBe("5")
        expect((yield* upload(bob, flowId, "b.txt", "b")).status).toBe(200)
      })
    )
    yield* until(() => onDisk().length === 1)
    // An upload that was given up makes room a moment after its file is gone.
    const again = yield* Effect.repeat(Effect.delay(upload(ada, flowId, "b.txt", "b"), "5 millis"), {
      until: ({ status }) => status !== 429
    })
    expect(again.status).toBe(200)
  })
)

/** Looks again until it is so; the test's own limit ends what never comes. */
const until = (isSo: () => boolean) =>
  Effect.repeat(Effect.delay(Effect.sync(isSo), "5 millis"), { until: (so) => so })

it.scopedLive("a form that is cut off behind its file is refused, one with much behind it is not", () =>
  Effect.gen(function* () {
    const { server, ada, make, onDisk } = yield* people
    const flowId = yield* make(1)
    const file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n'
    const send = (body: string) =>
      server.ask("POST", `/upload/${flowId}`, {
        as: ada,
        headers: { "content-type": "multipart/form-data; boundary=b" },
        body
      })
    expect(
      (yield* send(`${file}--b\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\nadas`)).status
    ).toBe(422)
    expect(onDisk()).toEqual([])
    const another = '--b\r\nContent-Disposition: form-data; name="file"; filename="b.txt"\r\n\r\n'
    const answer = yield* send(`${file}${another}${"x".repeat(1_000_000)}\r\n--b--\r\n`)
    expect(textAt(answer, "bytes")).toBe("5")
  })
)
