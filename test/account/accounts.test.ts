import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { mayAlter, mayRead, mayUse, type Person } from "../../src/account/Access.ts"
import { Accounts } from "../../src/account/Accounts.ts"
import { makeJwt } from "../../src/account/jwt.ts"
import { Tokens } from "../../src/account/Tokens.ts"
import { tokenOf } from "../../src/account/tokenOf.ts"
import { Settings } from "../../src/config.ts"
import { Audit } from "../../src/storage/Audit.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { Users } from "../../src/storage/Users.ts"
import { testSettings } from "../support/settings.ts"

const layer = (guestAccess = true) =>
  Accounts.Live.pipe(
    Layer.provideMerge(Memory),
    Layer.provideMerge(Layer.succeed(Tokens, makeJwt(Redacted.make("a secret that only this test knows")))),
    Layer.provideMerge(Layer.succeed(Settings, { ...testSettings, guestAccess }))
  )

const ada = { userName: "ada", password: "lovelace", ip: "10.0.0.1" }

const outcome = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.either(effect), (result) => (Either.isLeft(result) ? result.left._tag : "ok"))

it.effect("who registers can sign in, and the token is theirs", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const tokens = yield* Tokens
    const registered = yield* accounts.register({ ...ada, userName: "  ada " })
    const signedIn = yield* accounts.login(ada)
    expect(signedIn.userId).toBe(registered.userId)
    expect(signedIn.userName).toBe("ada")
    expect((yield* tokens.verify(signedIn.token)).userId).toBe(registered.userId)
    expect((yield* tokens.verify(registered.token)).userId).toBe(registered.userId)
  }).pipe(Effect.provide(layer()))
)

it.effect("the first who registers is the admin, also after guests came", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    expect((yield* accounts.guest("10.0.0.1")).role).toBe("guest")
    expect((yield* accounts.register(ada)).role).toBe("admin")
    expect((yield* accounts.register({ ...ada, userName: "grace" })).role).toBe("user")
  }).pipe(Effect.provide(layer()))
)

it.effect("passwords are not kept, and equal ones look different", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const users = yield* Users
    yield* accounts.register(ada)
    yield* accounts.register({ ...ada, userName: "grace" })
    const hashOf = (name: string) =>
      Effect.map(Effect.flatMap(users.credentials(name), Effect.orDie), ({ passwordHash }) => passwordHash)
    const hash = yield* hashOf("ada")
    expect(hash).toMatch(/^scrypt\$/)
    expect(hash).not.toContain("lovelace")
    expect(hash).not.toBe(yield* hashOf("grace"))
  }).pipe(Effect.provide(layer()))
)

it.effect("wrong names, wrong passwords and impossible ones are the same error", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    yield* accounts.register(ada)
    const guest = yield* accounts.guest("10.0.0.1")
    for (const attempt of [
      { ...ada, password: "Lovelace" },
      { ...ada, password: "" },
      { ...ada, password: "x".repeat(10_000) },
      { ...ada, userName: "Ada" },
      { ...ada, userName: "nobody" },
      { ...ada, userName: "' OR 1=1 --" },
      { ...ada, userName: "__proto__" },
      { ...ada, userName: "" },
      { ...ada, userName: guest.userName, password: "" }
    ]) {
      expect(yield* outcome(accounts.login(attempt)), JSON.stringify(attempt).slice(0, 60)).toBe(
        "BadCredentials"
      )
    }
  }).pipe(Effect.provide(layer()))
)

it.effect("what cannot be a name or a password is said", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    for (const attempt of [
      { ...ada, userName: "   " },
      { ...ada, userName: "x".repeat(65) },
      { ...ada, userName: "a\u0000b" },
      { ...ada, userName: "a\nb" },
      { ...ada, password: "" },
      { ...ada, password: "x".repeat(129) }
    ]) {
      expect(yield* outcome(accounts.register(attempt)), JSON.stringify(attempt)).toBe("RegistrationInvalid")
    }
    expect(yield* outcome(accounts.register({ ...ada, userName: "艾达", password: "1" }))).toBe("ok")
  }).pipe(Effect.provide(layer()))
)

it.effect("a name is given once, however many ask at the same moment", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const outcomes = yield* Effect.replicateEffect(outcome(accounts.register(ada)), 5).pipe(
      Effect.withConcurrency("unbounded")
    )
    expect(outcomes.toSorted()).toEqual(["NameTaken", "NameTaken", "NameTaken", "NameTaken", "ok"])
  }).pipe(Effect.provide(layer()))
)

it.effect("guessing is slowed per name and address, and goes on a minute later", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    yield* accounts.register(ada)
    const guess = outcome(accounts.login({ ...ada, password: "guess" }))
    for (let i = 0; i < 10; i++) expect(yield* guess).toBe("BadCredentials")
    const slowed = yield* Effect.flip(accounts.login(ada))
    expect(slowed).toMatchObject({ _tag: "TooManyAttempts", retryAfterMs: 60_000 })
    expect(yield* outcome(accounts.login({ ...ada, ip: "10.0.0.2" }))).toBe("ok")
    yield* TestClock.adjust("61 seconds")
    expect(yield* outcome(accounts.login(ada))).toBe("ok")
  }).pipe(Effect.provide(layer()))
)

it.effect("who signs in rightly may do so as often as they like", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    yield* accounts.register(ada)
    for (let i = 0; i < 12; i++) expect(yield* outcome(accounts.login(ada))).toBe("ok")
  }).pipe(Effect.provide(layer()))
)

it.effect("guests are turned away where they are not wanted", () =>
  Effect.gen(function* () {
    expect(yield* outcome((yield* Accounts).guest("10.0.0.1"))).toBe("GuestsOff")
  }).pipe(Effect.provide(layer(false)))
)

it.effect("every way in leaves an audit row with the address", () =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const audit = yield* Audit
    const { userId } = yield* accounts.register(ada)
    yield* accounts.login({ ...ada, ip: "10.0.0.9" })
    yield* outcome(accounts.login({ ...ada, password: "wrong" }))
    const rows = yield* audit.list({ objectId: `${userId}`, limit: 10 })
    expect(rows.map(({ action, ip }) => [action, ip])).toEqual([
      ["user.login", "10.0.0.9"],
      ["user.register", "10.0.0.1"]
    ])
  }).pipe(Effect.provide(layer()))
)

it.effect("a platform's user who is not in our table is an ordinary one", () =>
  Effect.gen(function* () {
    const person = yield* (yield* Accounts).personOf({ userId: 4711, userName: "grace", expiresAt: null })
    expect(person).toEqual({ userId: 4711, userName: "grace", role: "user" })
  }).pipe(Effect.provide(layer()))
)

const person = (userId: number, role: Person["role"] = "user"): Person => ({ userId, userName: "x", role })

it("an app is for its owner and the admin, and for everybody once it is online", () => {
  const offline = { user_id: 1, status: 1 } as const
  const online = { user_id: 1, status: 2 } as const
  expect([1, 2].map((id) => mayUse(person(id), offline))).toEqual([true, false])
  expect([1, 2].map((id) => mayUse(person(id, "guest"), online))).toEqual([true, true])
  expect([1, 2].map((id) => mayAlter(person(id), online))).toEqual([true, false])
  expect(mayAlter(person(2, "admin"), offline)).toBe(true)
  expect(mayAlter(person(2), { user_id: 0 })).toBe(false)
})

it("a chat is for its owner and the admin", () => {
  expect([1, 2].map((id) => mayRead(person(id), { user_id: 1 }))).toEqual([true, false])
  expect(mayRead(person(2, "admin"), { user_id: 1 })).toBe(true)
})

it("a token is looked for in ?t=, the cookie, and Authorization, in this order", () => {
  const query = (text: string) => new URLSearchParams(text)
  const cookie = "theme=dark; access_token_cookie=b; other=1"
  const authorization = "Bearer c"
  expect(tokenOf({ cookie, authorization }, query("t=a"))).toEqual(Option.some("a"))
  expect(tokenOf({ cookie, authorization }, query("t="))).toEqual(Option.some("b"))
  expect(tokenOf({ authorization }, query(""))).toEqual(Option.some("c"))
  expect(tokenOf({ authorization: "bearer  d" }, query(""))).toEqual(Option.some("d"))
  expect(tokenOf({ authorization: "Basic c" }, query(""))).toEqual(Option.none())
  expect(tokenOf({ cookie: "xaccess_token_cookie=b" }, query(""))).toEqual(Option.none())
  expect(tokenOf({}, query(""))).toEqual(Option.none())
})
