import { createHmac } from "node:crypto"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { errors, jwtVerify, SignJWT } from "jose"
import { Tokens } from "../../src/account/Tokens.ts"
import { TokensLive } from "../../src/account/TokensLive.ts"
import { Settings } from "../../src/config.ts"
import { testSettings } from "../support/settings.ts"

const secret = "a secret that only this test knows, long enough"

const tokensWith = (dataDir: string, authSecret: string | null) =>
  Effect.scoped(
    Effect.gen(function* () {
      const settings = Settings.of({
        ...testSettings,
        dataDir,
        authSecret: Option.map(Option.fromNullable(authSecret), (text) => Redacted.make(text))
      })
      const context = yield* Layer.build(
        Layer.provide(TokensLive, Layer.merge(Layer.succeed(Settings, settings), NodeFileSystem.layer))
      )
      return yield* Effect.provide(Tokens, context)
    })
  )

const tokens = tokensWith("/nowhere", secret)

const signed = (
  claims: { readonly sub?: string; readonly exp?: number; readonly nbf?: number },
  key = secret,
  alg = "HS256"
) =>
  Effect.promise(() =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key))
  )

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const ada = JSON.stringify({ user_id: 7, user_name: "ada" })

const reasonFor = (token: string) =>
  Effect.gen(function* () {
    const result = yield* Effect.either((yield* tokens).verify(token))
    return Either.isLeft(result) ? result.left.reason : "accepted"
  })

it.effect("a minted token says who it is for, and until when", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(1_700_000_000_000)
    const service = yield* tokens
    const identity = yield* service.verify(yield* service.mint(7, "ada"))
    expect(identity).toEqual({
      userId: 7,
      userName: "ada",
      expiresAt: 1_700_000_000_000 + Duration.toMillis("24 hours")
    })
  })
)

it.effect("a token ends at its time", () =>
  Effect.gen(function* () {
    const service = yield* tokens
    const token = yield* service.mint(7, "ada", "1 hour")
    yield* TestClock.adjust("59 minutes")
    expect((yield* service.verify(token)).userId).toBe(7)
    yield* TestClock.adjust("2 minutes")
    expect(yield* reasonFor(token)).toBe("expired")
  })
)

it.effect("a platform's token may lack an end and say more about its user", () =>
  Effect.gen(function* () {
    const sub = JSON.stringify({ user_id: 9, user_name: "Grace", role: [1], tenant: "x" })
    expect(yield* (yield* tokens).verify(yield* signed({ sub }))).toEqual({
      userId: 9,
      userName: "Grace",
      expiresAt: null
    })
  })
)

it.effect("tokens that are not ours are refused", () =>
  Effect.gen(function* () {
    const unsigned = `${base64({ alg: "none" })}.${base64({ sub: ada })}.`
    const head = `${base64({ alg: "none" })}.${base64({ sub: ada })}`
    const signedNone = `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`
    for (const token of [
      unsigned,
      signedNone,
      yield* signed({ sub: ada }, "some other secret, which is also long"),
      yield* signed({ sub: ada }, secret, "HS512"),
      `${yield* signed({ sub: ada })}x`,
      "no token",
      "a.b.c",
      "x".repeat(100_000)
    ]) {
      expect(yield* reasonFor(token), token.slice(0, 40)).toBe("invalid")
    }
    expect(yield* reasonFor("")).toBe("missing")
  })
)

/** A token with this head and body, signed as ours are whatever they say. */
const signedAs = (head: string, body: string) => {
  const text = `${head}.${body}`
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`
}

it.effect("what is believed of a token, and why not, is what a library of tokens says of it", () =>
  Effect.gen(function* () {
    const now = 1_700_000_000
    yield* TestClock.setTime(now * 1000)
    const head = base64({ alg: "HS256" })
    const good = signedAs(head, base64({ sub: ada }))
    const [, , signature = ""] = good.split(".")
    const key = new TextEncoder().encode(secret)
    const byLibrary = (token: string) =>
      Effect.promise(() =>
        jwtVerify(token, key, { algorithms: ["HS256"], currentDate: new Date(now * 1000) }).then(
          () => "accepted",
          (error) => (error instanceof errors.JWTExpired ? "expired" : "invalid")
        )
      )
    const claims = [
      { exp: now + 1 },
      { exp: now },
      { exp: now + 0.5 },
      { exp: now - 1 },
      { exp: `${now + 1}` },
      { exp: null },
      { nbf: now },
      { nbf: now + 1 },
      { nbf: now + 1, exp: now - 1 },
      { nbf: "0" },
      { iat: now + 100 },
      { iat: "now" },
      { iat: {} }
    ].map((claim) => signedAs(head, base64({ sub: ada, ...claim })))
    const heads = [
      { alg: "HS256", typ: "JWT" },
      { alg: "hs256" },
      { alg: "HS512" },
      { alg: ["HS256"] },
      {},
      [],
      "HS256",
      { alg: "HS256", crit: [] },
      { alg: "HS256", crit: ["exp"], exp: now },
      { alg: "HS256", crit: "exp" }
    ].map((one) => signedAs(base64(one), base64({ sub: ada })))
    const bodies = [
      base64([]),
      base64("text"),
      base64(null),
      "",
      "!!",
      Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")
    ].map((body) => signedAs(head, body))
    const altered = [
      good,
      `${good}.`,
      `.${good}`,
      `${head}.${base64({ sub: ada })}`,
      `${head}.${base64({ sub: ada })}.`,
      `${head}.${base64({ sub: ada })}.${signature.slice(0, -1)}`,
      `${head}.${base64({ sub: ada })}.${signature}A`,
      `${head}.${base64({ sub: JSON.stringify({ user_id: 8, user_name: "eve" }) })}.${signature}`,
      `${base64({ alg: "HS256", kid: "" })}.${base64({ sub: ada })}.${signature}`
    ]
    for (const token of [...claims, ...heads, ...bodies, ...altered]) {
      expect(yield* reasonFor(token), token).toBe(yield* byLibrary(token))
    }
  })
)

it.effect("tokens whose subject is of another shape are refused", () =>
  Effect.gen(function* () {
    for (const sub of [
      "7",
      "ada",
      "{}",
      "null",
      "[]",
      JSON.stringify({ user_id: "7", user_name: "ada" }),
      JSON.stringify({ user_id: 7 }),
      JSON.stringify({ user_id: 7.5, user_name: "ada" }),
      JSON.stringify({ user_id: -1, user_name: "ada" }),
      JSON.stringify({ user_id: 0, user_name: "the system" }),
      JSON.stringify({ user_id: 1e300, user_name: "ada" })
    ]) {
      expect(yield* reasonFor(yield* signed({ sub })), sub).toBe("invalid")
    }
    expect(yield* reasonFor(yield* signed({}))).toBe("invalid")
  })
)

it.effect("a token that is not valid yet is refused", () =>
  Effect.gen(function* () {
    expect(yield* reasonFor(yield* signed({ sub: ada, nbf: 60 }))).toBe("invalid")
    yield* TestClock.adjust("2 minutes")
    expect(yield* reasonFor(yield* signed({ sub: ada, nbf: 60 }))).toBe("accepted")
  })
)

it.effect("a short AUTH_SECRET works and is warned of, without being shown", () =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.map(Logger.logfmtLogger, (line) => {
        lines.push(line)
      })
    )
    const service = yield* Effect.provide(tokensWith("/nowhere", "pw7"), logger)
    expect((yield* service.verify(yield* service.mint(1, "ada"))).userName).toBe("ada")
    expect(lines.join()).toContain("AUTH_SECRET is shorter than 32 bytes")
    expect(lines.join()).not.toContain("pw7")
  })
)

const directory = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  fs.makeTempDirectoryScoped({ prefix: "colloquy-secret-" })
)

it.scoped("without AUTH_SECRET one is made, kept, and readable by nobody else", () =>
  Effect.gen(function* () {
    const dataDir = join(yield* directory, "not", "there", "yet")
    const token = yield* (yield* tokensWith(dataDir, null)).mint(1, "ada")
    const again = yield* tokensWith(dataDir, null)
    expect((yield* again.verify(token)).userName).toBe("ada")
    const { mode, size } = yield* Effect.promise(() => stat(join(dataDir, "auth_secret")))
    expect((mode & 0o777).toString(8)).toBe("600")
    expect(size).toBeGreaterThanOrEqual(64)
  }).pipe(Effect.provide(NodeFileSystem.layer))
)

it.scoped("servers that start at once on one directory agree on the secret, and leave no drafts", () =>
  Effect.gen(function* () {
    const dataDir = yield* directory
    const services = yield* Effect.replicateEffect(tokensWith(dataDir, null), 20).pipe(
      Effect.withConcurrency("unbounded")
    )
    const minted = yield* Effect.forEach(services, (service, index) => service.mint(index + 1, "ada"))
    for (const service of services) {
      const ids = yield* Effect.forEach(minted, (token) => service.verify(token))
      expect(ids.map(({ userId }) => userId)).toEqual(services.map((_, index) => index + 1))
    }
    const fs = yield* FileSystem.FileSystem
    expect(yield* fs.readDirectory(dataDir)).toEqual(["auth_secret"])
  }).pipe(Effect.provide(NodeFileSystem.layer))
)

it.scoped("a spoiled secret file stops the server with words that help", () =>
  Effect.gen(function* () {
    const dataDir = yield* directory
    const fs = yield* FileSystem.FileSystem
    yield* fs.writeFileString(join(dataDir, "auth_secret"), "\n")
    const error = yield* Effect.flip(tokensWith(dataDir, null))
    expect(error._tag).toBe("SecretUnavailable")
    expect(error.message).toContain("delete it")
  }).pipe(Effect.provide(NodeFileSystem.layer))
)

it.scoped("a data directory that cannot be made stops the server with words that help", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = join(yield* directory, "a-file")
    yield* fs.writeFileString(file, "")
    const error = yield* Effect.flip(tokensWith(join(file, "data"), null))
    expect(error.message).toContain("set AUTH_SECRET or DATA_DIR")
  }).pipe(Effect.provide(NodeFileSystem.layer))
)
