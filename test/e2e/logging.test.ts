/** What the server prints is for people, or for a program that collects logs: never both at once. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { startProcess, tempDir } from "../support/process.ts"

const Line = Schema.parseJson(Schema.Struct({ message: Schema.String, logLevel: Schema.String }))

it.scoped("with LOG_FORMAT=json each line is one object, and each thing is said once", () =>
  Effect.gen(function* () {
    const folder = yield* tempDir
    // Nobody listens on port 1: a warning comes of it before the server is ready.
    const server = yield* startProcess({
      DATA_DIR: folder,
      REDIS_URL: "redis://127.0.0.1:1",
      LOG_FORMAT: "json"
    })
    const lines = server.output().trimEnd().split("\n")
    const messages = yield* Effect.forEach(lines, (line) => Schema.decode(Line)(line))
    expect(messages.filter(({ logLevel }) => logLevel === "WARN").length).toBeGreaterThan(0)
    expect(messages.filter(({ message }) => message === `Colloquy is at ${server.url}`)).toHaveLength(1)
  })
)
