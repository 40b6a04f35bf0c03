/** The tokens themselves: what is signed, and what is believed. */
import { createSecretKey } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { SignJWT } from "jose"
import { claimsOf, parsedRecord } from "./hs256.ts"
import { type Identity, TokenRejected, type TokenService } from "./Tokens.ts"

const usualLifetime = Duration.hours(24)

/** Longer than any token of ours, and than any that a platform needs. */
const maxTokenLength = 4_096

export const makeJwt = (secret: Redacted.Redacted): TokenService => {
  const key = createSecretKey(Redacted.value(secret), "utf8")

  const verifyAt: TokenService["verifyAt"] = (token, now) => {
    if (token === "") return rejected("missing")
    return token.length > maxTokenLength ? rejected("invalid") : identityOf(claimsOf(token, key), now)
  }

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

    verify: (token) => Effect.flatMap(Clock.currentTimeMillis, (now) => verifyAt(token, now)),

    verifyAt
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
  const subject = typeof sub === "string" ? subjectOf(sub) : null
  if (subject === null) return rejected("invalid")
  return Either.right({ ...subject, expiresAt: exp === undefined ? null : exp * 1000 })
}

/**
 * A platform may say more about its user; this is what we use. Id 0 is the system's own, nobody's. By hand, because
 * a schema takes half as long as all the rest of a token.
 */
const subjectOf = (json: string): Pick<Identity, "userId" | "userName"> | null => {
  const subject = parsedRecord(json)
  if (subject === null) return null
  const { user_id: userId, user_name: userName } = subject
  if (typeof userId !== "number" || !Number.isSafeInteger(userId) || userId <= 0) return null
  return typeof userName === "string" ? { userId, userName } : null
}

const isTime = (claim: unknown): claim is number | undefined =>
  claim === undefined || typeof claim === "number"

const rejected = (reason: TokenRejected["reason"]) => Either.left(new TokenRejected({ reason }))
