/** The tokens themselves: what is signed, and what is believed. */
import { createSecretKey } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SignJWT } from "jose"
import { claimsOf } from "./hs256.ts"
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

const decodeSubject = Schema.decodeUnknownEither(Subject)

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

    verify: (token) => {
      if (token === "") return Effect.fail(new TokenRejected({ reason: "missing" }))
      if (token.length > maxTokenLength) return Effect.fail(new TokenRejected({ reason: "invalid" }))
      return Effect.flatMap(Clock.currentTimeMillis, (now) => identityOf(claimsOf(token, key), now))
    }
  }
}

/** Whom the claims name, at this moment. Times that are no numbers are no times. */
const identityOf = (
  claims: Readonly<Record<string, unknown>> | null,
  now: number
): Either.Either<Identity, TokenRejected> => {
  if (claims === null) return rejected("invalid")
  const { iat, nbf, exp, sub } = claims
  const seconds = Math.floor(now / 1000)
  if (!isTime(iat) || !isTime(nbf) || !isTime(exp)) return rejected("invalid")
  if (nbf !== undefined && nbf > seconds) return rejected("invalid")
  if (exp !== undefined && exp <= seconds) return rejected("expired")
  const subject = decodeSubject(sub)
  if (Either.isLeft(subject)) return rejected("invalid")
  return Either.right({
    userId: subject.right.user_id,
    userName: subject.right.user_name,
    expiresAt: exp === undefined ? null : exp * 1000
  })
}

const isTime = (claim: unknown): claim is number | undefined =>
  claim === undefined || typeof claim === "number"

const rejected = (reason: TokenRejected["reason"]) => Either.left(new TokenRejected({ reason }))
