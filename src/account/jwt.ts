/** The tokens themselves: what is signed, and what is believed. */
import { createSecretKey, type KeyObject } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose"
import { type Identity, TokenRejected, type TokenService } from "./Tokens.ts"

const usualLifetime = Duration.hours(24)

/** Longer than any token of ours, and than any that a platform needs. */
const maxTokenLength = 4_096

/** A platform may say more about its user; this is what we use. Id 0 is the system's own, nobody's. */
const Subject = Schema.parseJson(
  Schema.Struct({
    user_id: Schema.Int.pipe(Schema.positive(), Schema.lessThanOrEqualTo(Number.MAX_SAFE_INTEGER)),
    user_name: Schema.String
  })
)

const decodeSubject = Schema.decodeUnknown(Subject)

export const makeJwt = (secret: Redacted.Redacted): TokenService => {
  const key = createSecretKey(Redacted.value(secret), "utf8")
  return {
    mint: (userId, userName, lifetime = usualLifetime) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const issued = Math.floor(now / 1000)
        return Effect.promise(() =>
          new SignJWT({})
            .setProtectedHeader({ alg: "HS256", typ: "JWT" })
            .setSubject(JSON.stringify({ user_id: userId, user_name: userName }))
            .setIssuedAt(issued)
            .setExpirationTime(issued + Math.floor(Duration.toSeconds(lifetime)))
            .sign(key)
        )
      }),

    verify: (token) =>
      Effect.gen(function* () {
        if (token === "") return yield* new TokenRejected({ reason: "missing" })
        if (token.length > maxTokenLength) return yield* new TokenRejected({ reason: "invalid" })
        const now = yield* Clock.currentTimeMillis
        const payload = yield* checked(token, key, new Date(now))
        return yield* identityOf(payload)
      })
  }
}

const checked = (token: string, key: KeyObject, now: Date): Effect.Effect<JWTPayload, TokenRejected> =>
  Effect.tryPromise({
    try: () => jwtVerify(token, key, { algorithms: ["HS256"], currentDate: now }),
    catch: (error) =>
      new TokenRejected({ reason: error instanceof errors.JWTExpired ? "expired" : "invalid" })
  }).pipe(Effect.map(({ payload }) => payload))

const identityOf = ({ sub, exp }: JWTPayload): Effect.Effect<Identity, TokenRejected> =>
  decodeSubject(sub).pipe(
    Effect.map((subject) => ({
      userId: subject.user_id,
      userName: subject.user_name,
      expiresAt: exp === undefined ? null : exp * 1000
    })),
    Effect.mapError(() => new TokenRejected({ reason: "invalid" }))
  )
