/** Endpoints with this middleware are for people who are signed in; they find out by `CurrentUser` who it is. */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Person } from "../account/Access.ts"
import { Accounts } from "../account/Accounts.ts"
import { Tokens, tokenCookie } from "../account/Tokens.ts"
import { tokenOf } from "../account/tokenOf.ts"
import { Refused, refusal, storageFailure } from "./Refused.ts"
import { queryOf } from "./request.ts"

/** Somebody, as long as the token lasts. */
export interface Caller extends Person {
  /** Milliseconds since 1970; null: without end. */
  readonly expiresAt: number | null
}

export class CurrentUser extends Context.Tag("colloquy/http/CurrentUser")<CurrentUser, Caller>() {}

/** Who sends the request. */
export const makeIdentify = Effect.gen(function* () {
  const tokens = yield* Tokens
  const accounts = yield* Accounts
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const token = tokenOf(request.headers, queryOf(request))
    if (Option.isNone(token)) return yield* new Refused({ status: 401, text: "sign in first" })
    const identity = yield* tokens.verify(token.value).pipe(
      Effect.mapError(
        ({ reason }) =>
          new Refused({
            status: 401,
            text: reason === "expired" ? "the token expired; sign in again" : "the token is not valid"
          })
      )
    )
    const caller: Caller = { ...(yield* accounts.personOf(identity)), expiresAt: identity.expiresAt }
    return caller
  })
})

export class SignedIn extends HttpApiMiddleware.Tag<SignedIn>()("colloquy/http/SignedIn", {
  provides: CurrentUser,
  failure: Schema.Union(refusal(401, "sign in first, or again"), storageFailure),
  security: {
    query: HttpApiSecurity.apiKey({ in: "query", key: "t" }),
    cookie: HttpApiSecurity.apiKey({ in: "cookie", key: tokenCookie }),
    bearer: HttpApiSecurity.bearer
  }
}) {
  static readonly Live: Layer.Layer<SignedIn, never, Tokens | Accounts> = Layer.effect(
    SignedIn,
    Effect.gen(function* () {
      const identify = yield* makeIdentify
      // The order of the three places is `tokenOf`'s, here as on sockets; each of them asks the same.
      return SignedIn.of({ query: () => identify, cookie: () => identify, bearer: () => identify })
    })
  )
}
