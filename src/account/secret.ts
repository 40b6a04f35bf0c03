/**
 * The secret that tokens are signed with: `AUTH_SECRET`, else one made at the first start and kept in the data
 * directory, readable by the server's user alone. Two servers that start at once on one directory agree on it.
 */
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Settings } from "../config.ts"

/** There is no secret to be had; the message says what to do. */
export class SecretUnavailable extends Data.TaggedError("SecretUnavailable")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** HS256 works with any key, but one below its own width can be guessed from a single token. */
const wantedBytes = 32

export const authSecret: Effect.Effect<
  Redacted.Redacted,
  SecretUnavailable,
  Settings | FileSystem.FileSystem
> = Effect.gen(function* () {
  const settings = yield* Settings
  if (Option.isNone(settings.authSecret)) return yield* keptSecret(settings.dataDir)
  const secret = settings.authSecret.value
  if (Buffer.byteLength(Redacted.value(secret)) < wantedBytes) {
    yield* Effect.logWarning(
      `AUTH_SECRET is shorter than ${wantedBytes} bytes: it can be guessed from a token`
    )
  }
  return secret
})

const keptSecret = (dataDir: string) => {
  const path = join(dataDir, "auth_secret")
  return Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(dataDir, { recursive: true })
    if (!(yield* fs.exists(path))) yield* makeSecret(fs, path)
    const secret = (yield* fs.readFileString(path)).trim()
    if (Buffer.byteLength(secret) < wantedBytes) {
      return yield* new SecretUnavailable({
        message: `${path} is not a secret of ${wantedBytes} bytes or more; delete it to have one made (everybody signs in again)`
      })
    }
    return Redacted.make(secret)
  }).pipe(
    Effect.catchTag("SystemError", (cause) => unavailable(path, cause)),
    Effect.catchTag("BadArgument", (cause) => unavailable(path, cause))
  )
}

const unavailable = (path: string, cause: { readonly message: string }) =>
  Effect.fail(
    new SecretUnavailable({
      message: `${path} cannot be read or written: set AUTH_SECRET or DATA_DIR`,
      cause
    })
  )

/** Written whole under another name, then linked: the link is either ours or another server's, never half. */
const makeSecret = (fs: FileSystem.FileSystem, path: string) =>
  Effect.gen(function* () {
    const draft = `${path}.${randomBytes(8).toString("hex")}`
    yield* Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(draft, { flag: "wx", mode: 0o600 })
        yield* file.writeAll(new TextEncoder().encode(`${randomBytes(wantedBytes).toString("hex")}\n`))
        yield* file.sync
      })
    )
    yield* fs.link(draft, path).pipe(
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
        () => Effect.void
      ),
      Effect.ensuring(Effect.ignore(fs.remove(draft)))
    )
  })
