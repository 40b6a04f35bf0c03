import { request as rawRequest } from "node:http"
import { connect as connectTcp } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { at, startHttp, success } from "./support.ts"

const failure = (status: number) => ({
  status_code: status,
  status_message: expect.any(String),
  data: null
})

it.scopedLive("unknown addresses below /api are 404 in the envelope, with any method", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    for (const [method, path] of [
      ["GET", "//api"],
      ["GET", "//api/"],
      ["GET", "//api/v2/chat/list"],
      ["GET", "/nothing"],
      ["GET", "/"],
      ["PATCH", "/user/login"],
      ["GET", "/user/login"],
      ["DELETE", "/chat/list/x"],
      ["GET", `/chat/${"a".repeat(32)}`],
      ["GET", `/flows/${"x".repeat(5_000)}`]
    ] as const) {
      const answer = yield* server.ask(method, path, { as: ada, headers: { accept: "text/html" } })
      expect(answer.status, `${method} ${path}`).toBe(404)
      expect(answer.body).toEqual(failure(404))
    }
  })
)

it.scopedLive("broken escapes in an address do no harm", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    for (const path of ["/flows/%E0%A4%A", "/chat/info?chat_id=%E0%A4%A", "/chat/%00", "/flows/%2e%2e%2f"]) {
      const answer = yield* server.ask(path === "/chat/%00" ? "DELETE" : "GET", path, { as: ada })
      expect([404, 422], `${path} ${answer.status}`).toContain(answer.status)
      expect(answer.body).toEqual(failure(answer.status))
    }
  })
)

it.scopedLive("a body that is not JSON is 422, whatever it claims to be", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const json = { "content-type": "application/json" }
    for (const [headers, body] of [
      [json, "{"],
      [json, ""],
      [json, "null"],
      [json, "[]"],
      [json, '"text"'],
      [json, "{'user_name': 'ada'}"],
      [json, "\u0000"],
      [json, "[".repeat(100_000)],
      [{ "content-type": "text/plain" }, '{"user_name":"ada","password":"x"}'],
      [{ "content-type": "application/x-www-form-urlencoded" }, "user_name=ada&password=x"],
      [{ "content-type": "multipart/form-data; boundary=b" }, "--b--"]
    ] as const) {
      const answer = yield* server.ask("POST", "/user/regist", { headers, body })
      expect(answer.status, body.slice(0, 40)).toBe(422)
      expect(answer.body).toEqual(failure(422))
    }
  })
)

it.scopedLive("a body over 1 MiB is 413, and the connection stays of use", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.post("/user/regist", { user_name: "ada", password: "x".repeat(1024 * 1024) })
    expect(answer.status).toBe(413)
    expect(answer.body).toEqual({ ...failure(413), data: { limit_bytes: 1024 * 1024 } })
    expect((yield* server.get("/health/live")).status).toBe(200)
  })
)

it.scopedLive("graphs may weigh more than 1 MiB, but not those of strangers", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    const graph = { nodes: [], edges: [], note: "x".repeat(2 * 1024 * 1024) }
    const large = { name: "Large", flow_type: 1, data: graph }
    expect((yield* server.post("/flows", large, { as: ada })).status).toBe(200)
    for (const path of ["/flows", "/flows/import", `/build/init/${"0".repeat(32)}`]) {
      for (const as of [
        undefined,
        { token: "forged", id: 0 },
        yield* server.minted({}, "another secret, long enough")
      ]) {
        const answer = yield* server.post(path, large, as === undefined ? {} : { as })
        expect(answer.status).toBe(413)
        expect(at(answer.body, "data")).toEqual({ limit_bytes: 1024 * 1024 })
        expect(at(answer.body, "status_message")).toContain("sign in")
      }
    }
    const chunked = (headers: Record<string, string>) =>
      server.ask("POST", "/flows", {
        headers: { "content-type": "application/json", ...headers },
        body: new Blob([JSON.stringify(large)]).stream(),
        duplex: "half"
      })
    expect((yield* chunked({ authorization: `Bearer ${ada.token}` })).status).toBe(200)
    // What is cut while it is read may be cut before there is an answer.
    const cut = yield* Effect.exit(chunked({}))
    expect(Exit.isSuccess(cut) && cut.value.status === 200).toBe(false)
    expect((yield* server.get("/flows", { as: ada })).body).toMatchObject({ data: { total: 2 } })
  })
)

it.scopedLive("an endless body without a length is cut, and the server goes on", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const sent = yield* Effect.async<number>((resume) => {
      let bytes = 0
      const request = rawRequest(`${server.origin}/api/v1/user/regist`, {
        method: "POST",
        headers: { "content-type": "application/json" }
      })
      const chunk = "x".repeat(64 * 1024)
      const write = () => {
        while (!request.destroyed) {
          bytes += chunk.length
          if (!request.write(chunk)) return
        }
      }
      request.on("drain", write)
      request.on("response", (response) => {
        response.resume()
        request.destroy()
      })
      request.on("error", () => undefined)
      request.on("close", () => resume(Effect.succeed(bytes)))
      write()
    })
    expect(sent).toBeLessThan(32 * 1024 * 1024)
    expect((yield* server.get("/health/live")).status).toBe(200)
  })
)

it.scopedLive("__proto__ in a body changes nothing but what it names", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    const bob = yield* server.register("bob")
    const text =
      '{"name":"x","flow_type":1,"__proto__":{"status":2,"polluted":1},"constructor":{"prototype":{"polluted":1}},' +
      '"data":{"nodes":[],"edges":[],"__proto__":{"polluted":1}}}'
    const made = yield* server.ask("POST", "/flows", {
      as: bob,
      headers: { "content-type": "application/json" },
      body: text
    })
    expect(made.body).toMatchObject({ status_code: 200, data: { status: 1 } })
    expect(Reflect.get({}, "polluted")).toBeUndefined()
    const query = yield* server.get("/chat/list?__proto__=x&constructor=y&__proto__[polluted]=1", { as: ada })
    expect(query.body).toEqual(success([]))
    expect(Reflect.get({}, "polluted")).toBeUndefined()
  })
)

it.scopedLive("a page of another origin changes nothing with the cookie", () =>
  Effect.gen(function* () {
    const server = yield* startHttp({ settings: { allowedOrigins: ["https://friend.example"] } })
    const ada = yield* server.register("ada")
    const cookie = `access_token_cookie=${ada.token}`
    const flow = { name: "x", flow_type: 1 }
    const from = (origin: string) => server.post("/flows", flow, { headers: { cookie, origin } })
    for (const origin of [
      "https://evil.example",
      "null",
      `http://127.0.0.1:${server.port}.evil.example`,
      `http://localhost:${server.port}`
    ]) {
      const answer = yield* from(origin)
      expect(answer.status, origin).toBe(403)
      expect(answer.body).toEqual(failure(403))
      expect(answer.headers.get("access-control-allow-origin")).toBeNull()
    }
    expect((yield* from(server.origin)).status).toBe(200)
    expect((yield* from("https://friend.example")).status).toBe(200)
    // Programs name no origin, and a token that is not the cookie is nobody's by accident.
    expect((yield* server.post("/flows", flow, { headers: { cookie } })).status).toBe(200)
    const withToken = yield* server.post("/flows", flow, {
      as: ada,
      headers: { origin: "https://evil.example" }
    })
    expect(withToken.status).toBe(200)
    expect(withToken.headers.get("access-control-allow-origin")).toBeNull()
  })
)

it.scopedLive("pages of listed origins may read the answers", () =>
  Effect.gen(function* () {
    const server = yield* startHttp({ settings: { allowedOrigins: ["https://friend.example"] } })
    const asked = yield* server.ask("OPTIONS", "/flows", {
      headers: {
        origin: "https://friend.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type"
      }
    })
    expect(asked.status).toBe(204)
    expect(asked.headers.get("access-control-allow-origin")).toBe("https://friend.example")
    expect(asked.headers.get("access-control-allow-credentials")).toBe("true")
    expect(asked.headers.get("access-control-allow-methods")).toContain("PATCH")
    const refused = yield* server.get("/chat/list", { headers: { origin: "https://friend.example" } })
    expect(refused.status).toBe(401)
    expect(refused.headers.get("access-control-allow-origin")).toBe("https://friend.example")
    expect(refused.headers.get("vary")).toBe("Origin")
    const stranger = yield* server.ask("OPTIONS", "/flows", {
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" }
    })
    expect(stranger.headers.get("access-control-allow-origin")).toBeNull()
    expect(stranger.headers.get("access-control-allow-methods")).toBeNull()
  })
)

it.scopedLive("with every origin allowed, the cookie is still not shared", () =>
  Effect.gen(function* () {
    const server = yield* startHttp({ settings: { allowedOrigins: ["*"] } })
    const answer = yield* server.get("/health/live", { headers: { origin: "https://any.example" } })
    expect(answer.headers.get("access-control-allow-origin")).toBe("*")
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull()
  })
)

it.scopedLive("answers are not to be sniffed, kept, or referred to", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    for (const path of ["/health/live", "/chat/list", "/nothing"]) {
      const { headers } = yield* server.get(path)
      expect(headers.get("x-content-type-options"), path).toBe("nosniff")
      expect(headers.get("referrer-policy")).toBe("no-referrer")
      expect(headers.get("cache-control")).toBe("no-store")
      expect(headers.get("content-type")).toContain("application/json")
    }
  })
)

it.scopedLive("neither tokens nor passwords get into the log", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const ada = yield* server.register("ada")
    yield* server.get(`/chat/list?t=${ada.token}`)
    yield* server.post("/user/login", { user_name: "ada", password: 12345678 })
    const log = server.lines.join("\n")
    expect(log).not.toContain(ada.token)
    expect(log).not.toContain("the secret of ada")
    expect(log).not.toContain("12345678")
  })
)

it.scopedLive("a client that leaves in the middle of its request disturbs nobody", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    yield* Effect.async<void>((resume) => {
      const socket = connectTcp(server.port, "127.0.0.1", () => {
        socket.write("POST /api/v1/user/regist HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", () =>
          socket.destroy()
        )
      })
      socket.on("close", () => resume(Effect.void))
    })
    expect((yield* server.get("/health/live")).status).toBe(200)
    expect(server.lines.filter((line) => line.includes("level=ERROR"))).toEqual([])
  })
)

it.scopedLive("what nobody foresaw is a 500 with an id that the log knows, and nothing else", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    server.health.breakStorage()
    const answer = yield* server.post("/user/guest")
    expect(answer.status).toBe(500)
    const id = at(answer.body, "data", "error_id")
    expect(answer.body).toEqual({
      ...failure(500),
      data: { error_id: expect.stringMatching(/^[0-9a-f]{32}$/) }
    })
    expect(answer.text).not.toMatch(/unplugged|StorageError|at .*\.ts/)
    expect(server.lines.join("\n")).toContain(String(id))
    expect(server.lines.join("\n")).toContain("unplugged")
  })
)
