import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import JSZip from "jszip"
import { at, type Someone, startHttp, success, textAt } from "./support.ts"

const docx = (text: string) =>
  Effect.promise(() =>
    new JSZip()
      .file("[Content_Types].xml", "<Types/>")
      .file("word/document.xml", text)
      .generateAsync({ type: "uint8array" })
  )

const people = Effect.gen(function* () {
  const server = yield* startHttp({ settings: { maxUploadBytes: 100_000 } })
  const root = yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.register("bob")
  const made = yield* server.post("/assistant", { name: "Helper", prompt: "Help.", status: 2 }, { as: ada })
  const flowId = textAt(made, "id")
  const send = (as: Someone, name: string, content: Uint8Array, app = flowId) => {
    const form = new FormData()
    form.append("file", new Blob([Uint8Array.from(content)]), name)
    return server.ask("POST", `/report/template/${app}`, { as, body: form })
  }
  const get = (as: Someone, app = flowId) => server.get(`/report/template?flow_id=${app}`, { as })
  const remove = (as: Someone, app = flowId) =>
    server.ask("DELETE", `/report/template?flow_id=${app}`, { as })
  return { server, root, ada, bob, flowId, send, get, remove }
})

it.scopedLive("an app's owner sets a template, and each new one is the next version", () =>
  Effect.gen(function* () {
    const { server, ada, flowId, send, get } = yield* people
    expect((yield* get(ada)).body).toEqual(success(null))
    const first = yield* send(ada, "模板.docx", yield* docx("one"))
    expect(first.status).toBe(200)
    expect(at(first.body, "data")).toEqual({
      flow_id: flowId,
      version: 1,
      file_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      file_name: "模板.docx",
      file_url: expect.stringContaining("/api/v1/files/"),
      user_id: ada.id,
      create_time: expect.stringMatching(/Z$/)
    })
    const bytes = yield* docx("two")
    const second = yield* send(ada, "two.docx", bytes)
    expect(at(second.body, "data", "version")).toBe(2)
    const shown = yield* get(ada)
    expect(at(shown.body, "data")).toMatchObject({ version: 2, file_name: "two.docx" })
    const file = yield* server.get(textAt(shown, "file_url").slice("/api/v1".length))
    expect(file.headers.get("content-length")).toBe(String(bytes.length))
    expect(file.headers.get("content-type")).toContain("wordprocessingml")
    expect(yield* server.files(flowId, [ada.id])).toEqual([])
    expect(yield* server.audit(flowId)).toContainEqual({ action: "report.template.set", userId: ada.id })
  })
)

it.scopedLive("a removed template is gone with its file, and versions begin anew", () =>
  Effect.gen(function* () {
    const { server, ada, send, get, remove } = yield* people
    const first = yield* send(ada, "one.docx", yield* docx("one"))
    const id = textAt(first, "file_id")
    // It belongs to the app: it does not go as a file of one's own.
    expect((yield* server.ask("DELETE", `/files/${id}`, { as: ada })).status).toBe(404)
    expect((yield* remove(ada)).status).toBe(200)
    expect((yield* remove(ada)).status).toBe(404)
    expect((yield* get(ada)).body).toEqual(success(null))
    expect((yield* server.get(`/files/${id}`, { as: ada })).status).toBe(404)
    expect(at((yield* send(ada, "one.docx", yield* docx("one"))).body, "data", "version")).toBe(1)
  })
)

it.scopedLive("templates are the business of an app's owner and of admins alone", () =>
  Effect.gen(function* () {
    const { server, root, ada, bob, send, get, remove } = yield* people
    const bytes = yield* docx("x")
    const id = textAt(yield* send(ada, "a.docx", bytes), "file_id")
    expect((yield* send(bob, "b.docx", bytes)).status).toBe(403)
    expect((yield* get(bob)).status).toBe(403)
    expect((yield* remove(bob)).status).toBe(403)
    expect((yield* server.get(`/files/${id}`, { as: bob })).status).toBe(403)
    expect((yield* server.get("/report/template?flow_id=x", { as: ada })).status).toBe(422)
    expect((yield* get(ada, "0".repeat(32))).status).toBe(404)
    expect((yield* send(ada, "a.docx", bytes, "0".repeat(32))).status).toBe(404)
    const byRoot = textAt(yield* send(root, "r.docx", bytes), "file_id")
    expect((yield* server.get(`/files/${byRoot}`, { as: ada })).status).toBe(200)
    expect((yield* get(root)).status).toBe(200)
  })
)

it.scopedLive("what is no Word document, or too large, is refused and changes nothing", () =>
  Effect.gen(function* () {
    const { server, ada, flowId, send, get } = yield* people
    const bytes = yield* docx("x")
    const text = (content: string) => new TextEncoder().encode(content)
    for (const [name, content, status] of [
      ["a.txt", text("{{name}}"), 422],
      ["a.pdf", text("%PDF-1.7"), 422],
      ["a.docx", text("{{name}}"), 422],
      ["a.docx", bytes.subarray(0, bytes.length - 5), 422],
      ["a.docx", text(""), 422],
      ["a.docx", text("PK\u0003\u0004".repeat(50_000)), 413]
    ] as const) {
      const answer = yield* send(ada, name, content)
      expect(answer.status, `${name} ${answer.text}`).toBe(status)
    }
    const json = yield* server.post(`/report/template/${flowId}`, { file: "x" }, { as: ada })
    expect(json.status).toBe(422)
    expect((yield* get(ada)).body).toEqual(success(null))
  })
)
