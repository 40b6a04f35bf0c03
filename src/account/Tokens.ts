/**
 * Access tokens: HS256 JWTs whose `sub` is `{"user_id", "user_name"}` as a JSON string, so that a platform
 * that shares `AUTH_SECRET` can mint its own.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"

export interface Identity {
  readonly userId: number
  readonly userName: string
  /** Milliseconds since 1970; null: the token does not expire. */
  readonly expiresAt: number | null
}

export class TokenRejected extends Data.TaggedError("TokenRejected")<{
  readonly reason: "missing" | "invalid" | "expired"
}> {}

export interface TokenService {
  /** Ends after a day unless a lifetime is given. */
  readonly mint: (
    userId: number,
    userName: string,
    lifetime?: Duration.DurationInput
  ) => Effect.Effect<string>
  readonly verify: (token: string) => Effect.Effect<Identity, TokenRejected>
  /** The same at a moment that is known (milliseconds since 1970): there is nothing to wait for. */
  readonly verifyAt: (token: string, now: number) => Either.Either<Identity, TokenRejected>
}

export class Tokens extends Context.Tag("colloquy/Tokens")<Tokens, TokenService>() {}

/** Names of the places a token is looked for, in this order: `?t=`, this cookie, `Authorization: Bearer`. */
export const tokenCookie = "access_token_cookie"
