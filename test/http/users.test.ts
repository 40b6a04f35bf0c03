import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Answer, at, startHttp, success, textAt } from "./support.ts"

const credentials = { user_name: "ada", password: "lovelace" }

const cookieOf = (answer: Answer): string => answer.headers.get("set-cookie") ?? ""

it.scopedLive("registering signs in: token, cookie, and who it is", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.post("/user/regist", credentials)
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual(
      success({
        access_token: expect.any(String),
        user_id: expect.any(Number),
        user_name: "ada",
        role: "admin"
      })
    )
    const token = textAt(answer, "access_token")
    expect(cookieOf(answer)).toContain(`access_token_cookie=${token};`)
    expect(cookieOf(answer)).toMatch(/Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/)
    const info = success({ user_id: at(answer.body, "data", "user_id"), user_name: "ada", role: "admin" })
    for (const asked of [
      yield* server.get("/user/info", { headers: { authorization: `Bearer ${token}` } }),
      yield* server.get("/user/info", { headers: { cookie: `a=b; access_token_cookie=${token}` } }),
      yield* server.get(`/user/info?t=${token}`)
    ]) {
      expect(asked.body).toEqual(info)
    }
  })
)

it.scopedLive("the cookie is for TLS alone where the client came by TLS", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.post("/user/guest", undefined, {
      headers: { "x-forwarded-proto": "https" }
    })
    expect(cookieOf(answer)).toContain("; Secure")
  })
)

it.scopedLive("registering twice is told with HTTP 200 and Bisheng's code, and signs nobody in", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    yield* server.post("/user/regist", credentials)
    const again = yield* server.post("/user/regist", { ...credentials, password: "another" })
    expect(again.status).toBe(200)
    expect(again.body).toEqual({ status_code: 10605, status_message: "this user name is taken", data: null })
    expect(again.headers.get("set-cookie")).toBeNull()
    expect(at((yield* server.post("/user/login", credentials)).body, "status_code")).toBe(200)
  })
)

it.scopedLive("signing in takes the right password, and says no more than that it was wrong", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    yield* server.post("/user/regist", credentials)
    const wrong = yield* server.post("/user/login", { ...credentials, password: "x" })
    const unknown = yield* server.post("/user/login", { ...credentials, user_name: "' OR '1'='1" })
    expect(wrong.status).toBe(200)
    expect(wrong.body).toMatchObject({ status_code: 10600, data: null })
    expect(unknown.text).toBe(wrong.text)
    const right = yield* server.post("/user/login", credentials)
    expect(right.body).toEqual(success(expect.objectContaining({ user_name: "ada" })))
  })
)

it.scopedLive("guessing ends in 429 with the time to wait", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const guess = server.post("/user/login", { ...credentials, password: "guess" })
    const answers = yield* Effect.replicateEffect(guess, 11)
    expect(answers.slice(0, 10).map(({ status }) => status)).toEqual(Array(10).fill(200))
    const last = answers.at(-1)
    expect(last?.status).toBe(429)
    expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0)
    expect(last?.body).toMatchObject({ status_code: 429, data: { retry_after_ms: expect.any(Number) } })
  })
)

it.scopedLive("guests come in without a name, each as somebody else", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const first = yield* server.guest
    const second = yield* server.guest
    expect(first.id).not.toBe(second.id)
    const info = yield* server.get("/user/info", { as: first })
    expect(at(info.body, "data", "role")).toBe("guest")
    expect(at(info.body, "data", "user_name")).toMatch(/^guest-/)
  })
)

it.scopedLive("where GUEST_ACCESS is off, guests get 403", () =>
  Effect.gen(function* () {
    const server = yield* startHttp({ settings: { guestAccess: false } })
    const answer = yield* server.post("/user/guest")
    expect(answer.status).toBe(403)
    expect(answer.body).toMatchObject({ status_code: 403, data: null })
  })
)

it.scopedLive("signing out clears the cookie", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const answer = yield* server.post("/user/logout")
    expect(answer.body).toEqual(success(null))
    expect(cookieOf(answer)).toMatch(/^access_token_cookie=; Max-Age=0; Path=\//)
  })
)

it.scopedLive("a platform that shares the secret brings its own users", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const sub = JSON.stringify({ user_id: 4711, user_name: "grace" })
    const grace = yield* server.minted({ sub })
    expect((yield* server.get("/user/info", { as: grace })).body).toEqual(
      success({ user_id: 4711, user_name: "grace", role: "user" })
    )
    const flow = yield* server.post("/flows", { name: "Hers", flow_type: 1 }, { as: grace })
    expect(at(flow.body, "data", "user_id")).toBe(4711)
  })
)

it.scopedLive("without a valid token there is 401, which says what to do", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const sub = JSON.stringify({ user_id: 1, user_name: "ada" })
    const expired = yield* server.minted({ sub, exp: Math.floor(Date.now() / 1000) - 60 })
    const forged = yield* server.minted({ sub }, "some other secret, which is also long")
    const wordsFor = (ask: { readonly headers?: Record<string, string>; readonly as?: typeof expired }) =>
      Effect.map(server.get("/user/info", ask), (answer) => {
        expect(answer.status).toBe(401)
        expect(answer.body).toMatchObject({ status_code: 401, data: null })
        return at(answer.body, "status_message")
      })
    expect(yield* wordsFor({})).toBe("sign in first")
    expect(yield* wordsFor({ as: expired })).toBe("the token expired; sign in again")
    expect(yield* wordsFor({ as: forged })).toBe("the token is not valid")
    expect(yield* wordsFor({ headers: { authorization: "Bearer" } })).toBe("sign in first")
    expect(yield* wordsFor({ headers: { cookie: "access_token_cookie=%%%" } })).toBe("the token is not valid")
  })
)

it.scopedLive("every endpoint for people who are signed in says 401 to others, whatever they send", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    const id = "a".repeat(32)
    for (const [method, path] of [
      ["GET", "/user/info"],
      ["GET", "/chat/history?chat_id=c"],
      ["GET", "/chat/info?chat_id=c"],
      ["GET", "/chat/list"],
      ["GET", "/chat/list?page=nonsense"],
      ["GET", "/chat/online"],
      ["DELETE", "/chat/c"],
      ["POST", "/flows"],
      ["GET", "/flows"],
      ["GET", `/flows/${id}`],
      ["PATCH", `/flows/${id}`],
      ["DELETE", `/flows/${id}`],
      ["POST", "/assistant"],
      ["GET", "/assistant"],
      ["GET", `/assistant/info/${id}`],
      ["PUT", "/assistant"],
      ["POST", "/assistant/status"],
      ["POST", "/assistant/delete"],
      ["DELETE", `/assistant/${id}`],
      ["POST", `/upload/${id}`]
    ] as const) {
      const answer = yield* server.ask(method, path)
      expect(answer.status, `${method} ${path}`).toBe(401)
      expect(answer.body).toMatchObject({ status_code: 401 })
    }
  })
)

it.scopedLive("bad registrations are 422 and name the field", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    for (const [body, field] of [
      [{}, "user_name"],
      [{ user_name: "ada" }, "password"],
      [{ password: "x" }, "user_name"],
      [{ user_name: 7, password: "x" }, "user_name"],
      [{ user_name: ["ada"], password: "x" }, "user_name"],
      [{ user_name: { $ne: null }, password: "x" }, "user_name"],
      [{ user_name: "ada", password: null }, "password"],
      [{ user_name: "  ", password: "x" }, "user_name"],
      [{ user_name: "x".repeat(65), password: "x" }, "user_name"],
      [{ user_name: "x".repeat(500_000), password: "x" }, "user_name"],
      [{ user_name: "ada", password: "" }, "password"],
      [{ user_name: "ada", password: "x".repeat(129) }, "password"]
    ] as const) {
      const answer = yield* server.post("/user/regist", body)
      expect(answer.status, JSON.stringify(body).slice(0, 60)).toBe(422)
      expect(at(answer.body, "status_code")).toBe(422)
      expect(at(answer.body, "status_message")).toMatch(new RegExp(`^${field}: `))
      expect(answer.text.length).toBeLessThan(600)
    }
  })
)

it.scopedLive("names are data: markup, quotes and __proto__ come back as they went in", () =>
  Effect.gen(function* () {
    const server = yield* startHttp()
    for (const name of [
      "'; DROP TABLE user; --",
      "<script>alert(1)</script>",
      "__proto__",
      "艾达 🎓",
      "%00"
    ]) {
      const registered = yield* server.post("/user/regist", { user_name: name, password: "x" })
      expect(at(registered.body, "data", "user_name")).toBe(name)
      expect(
        at((yield* server.post("/user/login", { user_name: name, password: "x" })).body, "status_code")
      ).toBe(200)
    }
  })
)
