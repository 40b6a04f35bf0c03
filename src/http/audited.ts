/** Writes down what the caller did. */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { Audit } from "../storage/Audit.ts"
import { ipOf } from "./request.ts"
import { CurrentUser } from "./SignedIn.ts"

export const makeAudited = Effect.map(
  Audit,
  (audit) => (request: HttpServerRequest, action: string, objectId: string) =>
    Effect.flatMap(CurrentUser, ({ userId }) => audit.add({ userId, action, objectId, ip: ipOf(request) }))
)
