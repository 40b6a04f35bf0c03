/**
 * Password hashes by scrypt, written as `scrypt$N$r$p$salt$hash`, so that the cost can be raised later while
 * old ones stay readable.
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto"
import * as Effect from "effect/Effect"

/** About 60 ms and 32 MiB each. */
const cost = { N: 2 ** 15, r: 8, p: 1 }
const maxMemory = 64 * 1024 * 1024
const keyBytes = 32

/** Hashing occupies Node's few threads, which files and name look-ups need too. */
const atOnce = 2

export interface Passwords {
  readonly hash: (password: string) => Effect.Effect<string>
  /** With null, as for a name that nobody has, it takes as long and says no. */
  readonly matches: (password: string, stored: string | null) => Effect.Effect<boolean>
}

export const makePasswords: Effect.Effect<Passwords> = Effect.map(Effect.makeSemaphore(atOnce), (threads) => {
  const derive = (password: string, salt: Buffer, { N, r, p }: typeof cost) =>
    threads.withPermits(1)(
      Effect.async<Buffer>((resume) => {
        scrypt(password.normalize("NFKC"), salt, keyBytes, { N, r, p, maxmem: maxMemory }, (error, key) => {
          resume(error === null ? Effect.succeed(key) : Effect.die(error))
        })
      })
    )

  const hash = (password: string) =>
    Effect.gen(function* () {
      const salt = yield* Effect.sync(() => randomBytes(16))
      const key = yield* derive(password, salt, cost)
      return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64"), key.toString("base64")].join("$")
    })

  return {
    hash,
    matches: (password, stored) => {
      const parsed = stored === null ? null : parse(stored)
      if (parsed === null) return Effect.as(hash(password), false)
      return Effect.map(derive(password, parsed.salt, parsed.cost), (key) => timingSafeEqual(key, parsed.key))
    }
  }
})

const pattern = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w+/=]+)\$([\w+/=]+)$/

const parse = (stored: string) => {
  const [, N, r, p, salt, key] = pattern.exec(stored) ?? []
  if (salt === undefined || key === undefined) return null
  const bytes = Buffer.from(key, "base64")
  if (bytes.length !== keyBytes) return null
  return {
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64"),
    key: bytes
  }
}
