import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Settings, type SettingsShape } from "../src/config.ts"

const settings = (environment: Readonly<Record<string, string>>) =>
  Settings.pipe(
    Effect.provide(Settings.Env),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
  )

const refusal = (name: string, value: string) => Effect.map(Effect.flip(settings({ [name]: value })), String)

const described = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8")
const names = Array.from(described.matchAll(/^\| `([A-Z_]+)`/gm), ([, name]) => name ?? "")

describe("the environment", () => {
  it.effect("may say nothing: the server is for this machine alone", () =>
    Effect.gen(function* () {
      const { host, port, guestAccess, maxHeadStarts } = yield* settings({})
      expect({ host, port, guestAccess, maxHeadStarts }).toEqual({
        host: "127.0.0.1",
        port: 7860,
        guestAccess: true,
        maxHeadStarts: 32
      })
    })
  )

  it("is described whole", () => {
    expect(names.length).toBeGreaterThan(30)
  })

  it.effect.each(names)("may have an empty %s, as if it were not there", (name) =>
    Effect.gen(function* () {
      expect(yield* settings({ [name]: "" })).toEqual(yield* settings({}))
    })
  )

  it.effect.each([
    ["PORT", "80", { port: 80 }],
    ["PORT", "0", { port: 0 }],
    ["GUEST_ACCESS", "off", { guestAccess: false }],
    ["GUEST_ACCESS", "YES", { guestAccess: true }],
    ["HOST", "0.0.0.0", { guestAccess: false }],
    ["HOST", "::1", { guestAccess: true }],
    ["MAX_HEAD_STARTS", "0", { maxHeadStarts: 0 }],
    [
      "ALLOWED_ORIGINS",
      "https://a.example, ,https://b.example",
      { allowedOrigins: ["https://a.example", "https://b.example"] }
    ],
    ["LEASE_TIME", "3", { leaseTime: Duration.seconds(3) }],
    ["RUN_ORPHAN_TIMEOUT", "0", { runOrphanTimeout: Duration.zero }],
    ["DRAIN_TIMEOUT", "2 minutes", { drainTimeout: Duration.minutes(2) }],
    ["LOG_LEVEL", "WARNING", { logLevel: "Warning" }],
    ["LOG_FORMAT", "json", { logFormat: "json" }]
  ] satisfies ReadonlyArray<[string, string, Partial<SettingsShape>]>)(
    "may set %s to %s",
    ([name, value, expected]) =>
      Effect.gen(function* () {
        expect(yield* settings({ [name]: value })).toMatchObject(expected)
      })
  )

  it.effect.each([
    ["PORT", "65536", "0 (any free port) to 65535"],
    ["PORT", " ", "0 (any free port) to 65535"],
    ["PORT", "http", "0 (any free port) to 65535"],
    ["MAX_RUNS", "0", "a whole number above 0"],
    ["MAX_RUNS", "many", "a whole number above 0"],
    ["MAX_CONNECTIONS", "1.5", "a whole number above 0"],
    ["MAX_QUEUED_RUNS", "1e300", "a whole number above 0"],
    ["MAX_HEAD_STARTS", "-1", "a whole number from 0 on"],
    ["MAX_HEAD_STARTS", "all", "a whole number from 0 on"],
    ["LEASE_TIME", "soon", 'seconds ("30") or a duration ("10 minutes")'],
    ["LEASE_TIME", "-1", 'seconds ("30") or a duration ("10 minutes")'],
    ["LEASE_TIME", "0", "1s or more"],
    ["DOCUMENT_TIMEOUT", "10 millis", "1s or more"],
    ["GUEST_ACCESS", "perhaps", "one of true, yes, on, 1, false, no, off, 0"],
    ["LOG_LEVEL", "loud", "one of all, trace, debug, info, warning, error, fatal, none"],
    ["LOG_FORMAT", "xml", "one of pretty, json"]
  ] satisfies ReadonlyArray<[string, string, string]>)(
    "may not set %s to %s, and is told what to write",
    ([name, value, words]) =>
      Effect.gen(function* () {
        expect(yield* refusal(name, value)).toContain(`${name} must be ${words}`)
      })
  )
})
