/** A storage of your own: the audit trail as a file of JSON lines, one entry a line. */
import { appendFile, readFile } from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Audit } from "../../src/storage/Audit.ts"
import { StorageError } from "../../src/storage/StorageError.ts"

const Line = Schema.parseJson(
  Schema.Struct({
    id: Schema.Int,
    userId: Schema.Int,
    action: Schema.String,
    objectId: Schema.String,
    ip: Schema.String,
    create_time: Schema.Date
  })
)

/** In place of the database's own `Audit`. One server writes to the file. */
export const auditFile = (path: string) =>
  Layer.effect(
    Audit,
    Effect.gen(function* () {
      const one = yield* Effect.makeSemaphore(1)
      const attempt = <A>(operation: string, work: () => Promise<A>) =>
        Effect.tryPromise({ try: work, catch: (cause) => new StorageError({ operation, cause }) })
      const read = attempt("audit.read", () => readFile(path, { encoding: "utf8", flag: "a+" })).pipe(
        Effect.map((text) => text.split("\n").filter((line) => line !== "")),
        Effect.flatMap(Effect.forEach((line) => Schema.decode(Line)(line))),
        Effect.catchTag("ParseError", (cause) => new StorageError({ operation: "audit.read", cause }))
      )
      return {
        add: (entry) =>
          Effect.gen(function* () {
            const id = (yield* read).length + 1
            const create_time = new Date(yield* Clock.currentTimeMillis)
            const line = yield* Effect.orDie(Schema.encode(Line)({ ...entry, id, create_time }))
            yield* attempt("audit.add", () => appendFile(path, `${line}\n`))
          }).pipe(one.withPermits(1)),
        list: ({ objectId, limit }) =>
          Effect.map(read, (entries) =>
            entries
              .filter((entry) => objectId === null || entry.objectId === objectId)
              .reverse()
              .slice(0, limit)
          )
      }
    })
  )
