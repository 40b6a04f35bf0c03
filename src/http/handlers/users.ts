import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { Accounts, type SignedIn } from "../../account/Accounts.ts"
import { tokenCookie } from "../../account/Tokens.ts"
import { Api } from "../Api.ts"
import { business, done, ok } from "../envelope.ts"
import { invalid, Refused } from "../Refused.ts"
import { ipOf, isSecure } from "../request.ts"
import { CurrentUser } from "../SignedIn.ts"

/** Bisheng's codes for these two. */
const badCredentials = business({
  status_code: 10600,
  status_message: "the user name or the password is wrong",
  data: null
})
const nameTaken = business({ status_code: 10605, status_message: "this user name is taken", data: null })

const cookieOptions = (request: HttpServerRequest.HttpServerRequest) => ({
  httpOnly: true,
  sameSite: "lax" as const,
  path: "/",
  secure: isSecure(request)
})

/** The token, in the answer and in the cookie. */
const welcome = (person: SignedIn) =>
  Effect.as(
    HttpApp.appendPreResponseHandler((request, response) =>
      Effect.orDie(
        HttpServerResponse.setCookie(response, tokenCookie, person.token, {
          ...cookieOptions(request),
          maxAge: person.lifetime
        })
      )
    ),
    ok({
      access_token: person.token,
      user_id: person.userId,
      user_name: person.userName,
      role: person.role
    })
  )

interface Credentials {
  readonly user_name: string
  readonly password: string
}

const from = (request: HttpServerRequest.HttpServerRequest, { user_name, password }: Credentials) => ({
  userName: user_name,
  password,
  ip: ipOf(request)
})

export const UsersLive = HttpApiBuilder.group(Api, "users", (handlers) =>
  Effect.gen(function* () {
    const accounts = yield* Accounts
    return handlers
      .handle("register", ({ payload, request }) =>
        accounts.register(from(request, payload)).pipe(
          Effect.flatMap(welcome),
          Effect.catchTag("NameTaken", () => Effect.succeed(nameTaken)),
          Effect.catchTag("RegistrationInvalid", ({ reason }) => Effect.fail(invalid(reason)))
        )
      )
      .handle("login", ({ payload, request }) =>
        accounts.login(from(request, payload)).pipe(
          Effect.flatMap(welcome),
          Effect.catchTag("BadCredentials", () => Effect.succeed(badCredentials)),
          Effect.catchTag("TooManyAttempts", ({ retryAfterMs }) =>
            Effect.fail(
              new Refused({
                status: 429,
                text: "too many attempts to sign in; wait a minute",
                data: { retry_after_ms: retryAfterMs },
                retryAfterSeconds: Math.ceil(retryAfterMs / 1000)
              })
            )
          )
        )
      )
      .handle("guest", ({ request }) =>
        accounts.guest(ipOf(request)).pipe(
          Effect.flatMap(welcome),
          Effect.catchTag("GuestsOff", () =>
            Effect.fail(new Refused({ status: 403, text: "guests are not let in here: register or sign in" }))
          )
        )
      )
      .handle("logout", () =>
        Effect.as(
          HttpApp.appendPreResponseHandler((request, response) =>
            Effect.orDie(
              HttpServerResponse.setCookie(response, tokenCookie, "", {
                ...cookieOptions(request),
                maxAge: 0
              })
            )
          ),
          done
        )
      )
      .handle("info", () =>
        Effect.map(CurrentUser, ({ userId, userName, role }) =>
          ok({ user_id: userId, user_name: userName, role })
        )
      )
  })
)
