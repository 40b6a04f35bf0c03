import { request as rawRequest } from "node:http"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, type Someone, startHttp, success, textAt } from "./support.ts"

const people = Effect.gen(function* () {
  const server = yield* startHttp({ settings: { maxUploadBytes: 100_000 } })
  yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.guest
  const make = (status: number) =>
    Effect.map(
      server.post("/assistant", { name: "Helper", prompt: "Help.", status }, { as: ada }),
      (answer) => textAt(answer, "id")
    )
  const upload = (flowId: string, form: FormData, as: Someone) =>
    server.ask("POST", `/upload/${flowId}`, { as, body: form })
  return { server, ada, bob, make, upload }
})

const formOf = (name: string, content: string | Uint8Array<ArrayBuffer>, field = "file"): FormData => {
  const form = new FormData()
  form.append(field, new Blob([content]), name)
  return form
}

it.scopedLive("a file given to an app is kept for it", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload } = yield* people
    const flowId = yield* make(1)
    const answer = yield* upload(flowId, formOf("notes.md", "# Notes\n\nÄpfel"), ada)
    expect(answer.status).toBe(200)
    const id = textAt(answer, "file_id")
    expect(answer.body).toEqual(
      success({
        file_path: `files/${id}`,
        file_id: id,
        file_name: "notes.md",
        bytes: 15,
        file_url: expect.stringMatching(new RegExp(`^/api/v1/files/${id}\\.[0-9a-z]+\\.[\\w-]{43}$`))
      })
    )
    expect(yield* server.files(flowId, [ada.id])).toMatchObject([
      { id, name: "notes.md", bytes: 15, user_id: ada.id, media_type: "text/markdown" }
    ])
  })
)

it.scopedLive("other fields may come first, and the same file twice is two files", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload } = yield* people
    const flowId = yield* make(1)
    const form = new FormData()
    form.append("note", "x".repeat(10_000))
    form.append("attachment", new Blob(["hello"]), "a.txt")
    form.append("attachment", new Blob(["never read"]), "b.txt")
    const first = yield* upload(flowId, form, ada)
    const second = yield* upload(flowId, formOf("a.txt", "hello"), ada)
    expect(textAt(first, "file_name")).toBe("a.txt")
    expect(textAt(second, "file_id")).not.toBe(textAt(first, "file_id"))
    expect(yield* server.files(flowId, [ada.id])).toHaveLength(2)
  })
)

it.scopedLive("an online app takes files of anybody, an offline one of its owner", () =>
  Effect.gen(function* () {
    const { bob, make, upload } = yield* people
    expect((yield* upload(yield* make(2), formOf("a.txt", "x"), bob)).status).toBe(200)
    const refused = yield* upload(yield* make(1), formOf("a.txt", "x"), bob)
    expect(refused.status).toBe(403)
    expect((yield* upload("0".repeat(32), formOf("a.txt", "x"), bob)).status).toBe(404)
    expect((yield* upload("nonsense", formOf("a.txt", "x"), bob)).status).toBe(422)
  })
)

it.scopedLive("a file's name is kept in any script", () =>
  Effect.gen(function* () {
    const { ada, make, upload } = yield* people
    const flowId = yield* make(1)
    for (const name of ["中文 文档.md", "Äpfel & Öl.txt", 'quo"ted.txt', "semi;colon.txt", "emoji 🎓.csv"]) {
      expect(textAt(yield* upload(flowId, formOf(name, "x"), ada), "file_name")).toBe(name)
    }
  })
)

it.scopedLive("a file's name is a name, wherever it claims to lead", () =>
  Effect.gen(function* () {
    const { ada, make, upload } = yield* people
    const flowId = yield* make(1)
    const answer = yield* upload(flowId, formOf("../../../etc/cron.d/evil.txt", "x"), ada)
    expect(textAt(answer, "file_name")).toBe("evil.txt")
  })
)

it.scopedLive("a file over the limit is 413 with the limit, leaves nothing, and the server goes on", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload } = yield* people
    const flowId = yield* make(1)
    for (const size of [100_001, 1_500_000, 8_000_000]) {
      const answer = yield* upload(flowId, formOf("big.txt", "x".repeat(size)), ada)
      expect(answer.status, `${size} bytes`).toBe(413)
      expect(answer.body).toMatchObject({ status_code: 413, data: { limit_bytes: 100_000 } })
    }
    expect(yield* server.files(flowId, [ada.id])).toEqual([])
    expect((yield* upload(flowId, formOf("fits.txt", "x".repeat(100_000)), ada)).status).toBe(200)
  })
)

it.scopedLive("files that cannot be read are 422 and say what can", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload } = yield* people
    const flowId = yield* make(1)
    for (const [name, content] of [
      ["program.exe", "MZ"],
      ["paper.pdf", "no PDF"],
      ["letter.docx", "PK"],
      ["empty.txt", ""],
      ["binary.txt", new Uint8Array([0, 1, 2, 3])],
      ["latin1.txt", new Uint8Array([0xe4, 0xf6, 0xfc])]
    ] as const) {
      const answer = yield* upload(
        flowId,
        formOf(name, typeof content === "string" ? content : Uint8Array.from(content)),
        ada
      )
      expect(answer.status, name).toBe(422)
      expect(at(answer.body, "status_message"), name).toMatch(/^file: .*UTF-8/)
    }
    expect(yield* server.files(flowId, [ada.id])).toEqual([])
  })
)

it.scopedLive("what is no form with a file in it is 422, and the server goes on", () =>
  Effect.gen(function* () {
    const { server, ada, make, upload } = yield* people
    const flowId = yield* make(1)
    const noFile = new FormData()
    noFile.append("file", "only text")
    const send = (type: string, body: string) =>
      server.ask("POST", `/upload/${flowId}`, { as: ada, headers: { "content-type": type }, body })
    const form = "multipart/form-data; boundary=b"
    const part = (disposition: string, rest = "hello\r\n--b--\r\n") =>
      `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${rest}`
    for (const [what, asked] of [
      ["no file", upload(flowId, noFile, ada)],
      ["an empty form", upload(flowId, new FormData(), ada)],
      ["JSON", server.post(`/upload/${flowId}`, { file: "x" }, { as: ada })],
      ["nothing", server.post(`/upload/${flowId}`, undefined, { as: ada })],
      ["no boundary", send("multipart/form-data", "x")],
      ["an empty boundary", send("multipart/form-data; boundary=", "x")],
      ["another boundary", send("multipart/form-data; boundary=c", part('name="file"; filename="a.txt"'))],
      ["a head that is cut off", send(form, "--b\r\nContent-Disposition: form-da")],
      ["a file that is cut off", send(form, part('name="file"; filename="a.txt"', "hello"))],
      ["a field that is cut off", send(form, part('name="x"', "hello"))],
      ["a broken name", send(form, part("name=\"file\"; filename*=UTF-8''%E0%A4%A"))],
      ["a part without a head", send(form, "--b\r\n\r\nhello\r\n--b--\r\n")],
      ["a head of nonsense", send(form, "--b\r\n\u0000\u0001: \u0002\r\n\r\nx\r\n--b--\r\n")],
      [
        "too many parts",
        send(form, `${part('name="x"', "y\r\n").repeat(20)}${part('name="file"; filename="a.txt"')}`)
      ],
      [
        "a field too large",
        send(form, `${part('name="x"', "y".repeat(70_000))}\r\n${part('name="file"; filename="a.txt"')}`)
      ]
    ] as const) {
      const answer = yield* asked
      expect(answer.status, `${what}: ${answer.text}`).toBe(422)
      expect(at(answer.body, "status_code")).toBe(422)
    }
    expect(yield* server.files(flowId, [ada.id])).toEqual([])
    expect(server.lines.filter((line) => line.includes("level=ERROR"))).toEqual([])
    expect((yield* upload(flowId, formOf("a.txt", "x"), ada)).status).toBe(200)
  })
)

it.scopedLive("a client that leaves in the middle of its upload leaves nothing", () =>
  Effect.gen(function* () {
    const { server, ada, make } = yield* people
    const flowId = yield* make(1)
    yield* Effect.async<void>((resume) => {
      const request = rawRequest(`${server.origin}/api/v1/upload/${flowId}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${ada.token}`,
          "content-type": "multipart/form-data; boundary=b",
          "content-length": "50000"
        }
      })
      request.on("error", () => undefined)
      request.on("close", () => resume(Effect.void))
      request.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello', () =>
        request.destroy()
      )
    })
    expect((yield* server.get("/health/live")).status).toBe(200)
    expect(yield* server.files(flowId, [ada.id])).toEqual([])
    expect(server.lines.filter((line) => line.includes("level=ERROR"))).toEqual([])
  })
)
