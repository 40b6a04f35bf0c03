import { existsSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../src/config.ts"
import { Flows } from "../../src/storage/Flows.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { StorageError } from "../../src/storage/StorageError.ts"
import { freshDatabase, freshFolder } from "../support/database.ts"
import { app } from "./suite/vocabulary.ts"

const storage = (environment: Readonly<Record<string, string>>) =>
  Storage.Live.pipe(
    Layer.provide(Settings.Env),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
  )

/** How many apps there are after one was created, each time by a server of its own. */
const counted = (environment: Readonly<Record<string, string>>) =>
  Effect.flatMap(Flows, (flows) =>
    Effect.zipRight(
      flows.create(app()),
      flows.list({ visibleTo: null, flowType: null, keyword: "", onlineOnly: false, page: 1, limit: 10 })
    )
  ).pipe(
    Effect.map(({ total }) => total),
    Effect.provide(Layer.fresh(storage(environment)))
  )

it.scopedLive("without DATABASE_URL everything is kept in a file in DATA_DIR", () =>
  Effect.gen(function* () {
    const DATA_DIR = join(yield* freshFolder, "data")
    expect([yield* counted({ DATA_DIR }), yield* counted({ DATA_DIR })]).toEqual([1, 2])
    expect(existsSync(join(DATA_DIR, "colloquy.db"))).toBe(true)
  })
)

it.scopedLive("mysql:// keeps everything there, and writes nothing here", () =>
  Effect.gen(function* () {
    const DATA_DIR = join(yield* freshFolder, "data")
    const DATABASE_URL = yield* freshDatabase
    const environment = { DATA_DIR, DATABASE_URL }
    expect([yield* counted(environment), yield* counted(environment)]).toEqual([1, 2])
    expect(existsSync(DATA_DIR)).toBe(false)
  })
)

it.scopedLive("memory: keeps nothing", () =>
  Effect.gen(function* () {
    const DATA_DIR = join(yield* freshFolder, "data")
    const environment = { DATA_DIR, DATABASE_URL: "memory:" }
    expect([yield* counted(environment), yield* counted(environment)]).toEqual([1, 1])
    expect(existsSync(DATA_DIR)).toBe(false)
  })
)

it.live("any other address is refused with what to write instead, and is not repeated", () =>
  Effect.gen(function* () {
    for (const DATABASE_URL of [
      "postgres://u:secret@h/db",
      "secret",
      "mysql:",
      "mysql://h",
      "mysql://h/",
      "file:///etc/secret"
    ]) {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(storage({ DATABASE_URL }))))
      if (!(error instanceof StorageError)) return expect.unreachable()
      expect(error.operation).toBe("read DATABASE_URL")
      expect(String(error.cause)).toContain("mysql://user:password@host:3306/name")
      expect(String(error.cause)).not.toContain("secret")
    }
  })
)
