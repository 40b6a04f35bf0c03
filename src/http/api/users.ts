import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"

const Credentials = Schema.Struct({
  user_name: Schema.String,
  password: Schema.String
})

const Role = Schema.Literal("admin", "user", "guest")

const Access = Schema.Struct({
  access_token: Schema.String,
  user_id: Schema.Int,
  user_name: Schema.String,
  role: Role
})

const Myself = Schema.Struct({ user_id: Schema.Int, user_name: Schema.String, role: Role })

export const users = HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.post("register", "/user/regist")
      .setPayload(Credentials)
      .addSuccess(Envelope(Access))
      .annotate(
        OpenApi.Description,
        "Makes an account and signs in: the token is in the answer and in the cookie. The first one becomes the admin. A name that is taken is status_code 10605."
      )
  )
  .add(
    HttpApiEndpoint.post("login", "/user/login")
      .setPayload(Credentials)
      .addSuccess(Envelope(Access))
      .addError(refusal(429, "too many attempts for this name; see Retry-After"))
      .annotate(
        OpenApi.Description,
        "Signs in: the token is in the answer and in the cookie. A wrong name or password is status_code 10600."
      )
  )
  .add(
    HttpApiEndpoint.post("guest", "/user/guest")
      .addSuccess(Envelope(Access))
      .addError(refusal(403, "GUEST_ACCESS is off"))
      .annotate(OpenApi.Description, "Makes a fresh guest, who needs no password, and signs in.")
  )
  .add(
    HttpApiEndpoint.post("logout", "/user/logout")
      .addSuccess(Envelope(Schema.Null))
      .annotate(OpenApi.Description, "Clears the cookie. A token itself ends at its own time.")
  )
  .add(
    HttpApiEndpoint.get("info", "/user/info")
      .addSuccess(Envelope(Myself))
      .middleware(SignedIn)
      .annotate(OpenApi.Description, "Who the token speaks of.")
  )
  .annotate(OpenApi.Description, "Accounts and tokens")
