/** The tokens themselves: what is signed, and what is believed. */
import { createSecretKey } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { SignJWT } from "jose"
import { claimsOf, parsedRecord } from "./hs256.ts"
import { KnownTokens } from "./KnownTokens.ts"
import { type Identity, TokenRejected, type TokenService } from "./Tokens.ts"

const usualLifetime = Duration.hours(24)

/** Longer than any token of ours, and than any that a platform needs. */
const maxTokenLength = 4_096

export const makeJwt = (secret: Redacted.Redacted): TokenService => {
  const key = createSecretKey(Redacted.value(secret), "utf8")
  const known = new KnownTokens((token) => {
    const claims = claimsOf(token, key)
    return claims === null ? null : saidBy(claims)
  })

  const verifyAt: TokenService["verifyAt"] = (token, now) => {
    if (token === "") return rejected("missing")
    return token.length > maxTokenLength ? rejected("invalid") : identityOf(known.read(token), now)
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

/** What a token of ours says, whatever the time is. */
interface Said {
  /** In seconds, both. */
  readonly begins: number | undefined
  readonly ends: number | undefined
  /** Null: it names nobody. */
  readonly identity: Identity | null
}

/** Times that are no numbers are no times. */
const saidBy = (claims: Readonly<Record<string, unknown>>): Said | null => {
  const { iat, nbf, exp, sub } = claims
  if (!isTime(iat) || !isTime(nbf) || !isTime(exp)) return null
  const subject = typeof sub === "string" ? subjectOf(sub) : null
  const expiresAt = exp === undefined ? null : exp * 1000
  return { begins: nbf, ends: exp, identity: subject === null ? null : { ...subject, expiresAt } }
}

/** Whom it names at this moment. */
const identityOf = (said: Said | null, now: number): Either.Either<Identity, TokenRejected> => {
  if (said === null) return rejected("invalid")
  const { begins, ends, identity } = said
  const seconds = Math.floor(now / 1000)
  if (begins !== undefined && begins > seconds) return rejected("invalid")
  if (ends !== undefined && ends <= seconds) return rejected("expired")
  return identity === null ? rejected("invalid") : Either.right(identity)
}

/**
 * A platform may say more about its user; this is what we use. Id 0 is the system's own, nobody's. By hand: a
 * schema takes half as long as all the rest of a token.
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
