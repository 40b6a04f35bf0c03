/**
 * Who may open a socket, decided before the handshake, so that a refusal is a plain HTTP answer.
 */
import type { IncomingMessage } from "node:http"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Tokens } from "../account/Tokens.ts"
import { tokenOf } from "../account/tokenOf.ts"
import { Settings } from "../config.ts"
import type { Address } from "../protocol/frames.ts"
import { isChatId, normalFlowId } from "../protocol/ids.ts"
import type { ResumePoint } from "../protocol/payloads.ts"
import type { Wanted } from "./openSession.ts"
import type { PeerIdentity } from "./Peer.ts"

export class Refused extends Data.TaggedError("Refused")<{
  readonly status: 400 | 401 | 403 | 404 | 503
  readonly text: string
  readonly retryAfterSeconds?: number
}> {}

export interface Request {
  readonly address: Address
  readonly wanted: Wanted
  /** Which version to debug; undefined: the current one. */
  readonly versionId: number | undefined
  readonly resume: ResumePoint | null
  readonly identity: PeerIdentity
}

const path = /^\/api\/v1\/(?:(assistant|workflow)\/)?chat\/([^/]+)$/

const isWanted = (kind: string | undefined): kind is "assistant" | "workflow" =>
  kind === "assistant" || kind === "workflow"

export const readHandshake = (request: IncomingMessage): Effect.Effect<Request, Refused, Tokens | Settings> =>
  Effect.gen(function* () {
    const url = URL.parse(request.url ?? "", "http://localhost")
    const match = url === null ? null : path.exec(url.pathname)
    if (url === null || match === null) return yield* new Refused({ status: 404, text: "no socket here" })
    yield* checkOrigin(request)
    const identity = yield* identify(request, url.searchParams)
    return {
      address: yield* readAddress(match[2] ?? "", url.searchParams),
      wanted: isWanted(match[1]) ? match[1] : null,
      versionId: readVersion(url.searchParams),
      resume: readResume(url.searchParams),
      identity
    }
  })

/** Browsers name the page's origin: it must be ours or a listed one. Other programs name none. */
const checkOrigin = (request: IncomingMessage) =>
  Effect.gen(function* () {
    const { allowedOrigins } = yield* Settings
    const { origin, host } = request.headers
    if (origin === undefined || allowedOrigins.includes("*") || allowedOrigins.includes(origin)) return
    if (URL.parse(origin)?.host === host) return
    return yield* new Refused({ status: 403, text: "this origin is not allowed (ALLOWED_ORIGINS)" })
  })

const identify = (request: IncomingMessage, query: URLSearchParams) =>
  Effect.gen(function* () {
    const tokens = yield* Tokens
    const token = tokenOf(request.headers, query)
    if (Option.isNone(token)) return yield* new Refused({ status: 401, text: "sign in first" })
    const { userId, expiresAt } = yield* tokens.verify(token.value).pipe(
      Effect.mapError(
        ({ reason }) =>
          new Refused({
            status: 401,
            text: reason === "expired" ? "the token expired; sign in again" : "the token is not valid"
          })
      )
    )
    const native = query.get("native") === "1"
    return { userId, expiresAt, native, ip: request.socket.remoteAddress ?? "" }
  })

const readAddress = (flow: string, query: URLSearchParams) =>
  Effect.gen(function* () {
    const flowId = normalFlowId(flow)
    if (flowId === null) return yield* new Refused({ status: 404, text: "an app id is 32 hex digits" })
    const chatId = query.get("chat_id") ?? ""
    if (chatId !== "" && !isChatId(chatId)) {
      return yield* new Refused({
        status: 400,
        text: 'chat_id must be 1 to 64 letters, digits or "_.:-"'
      })
    }
    return { flowId, chatId }
  })

const readVersion = (query: URLSearchParams): number | undefined => {
  const text = query.get("version_id") ?? ""
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

const readResume = (query: URLSearchParams): ResumePoint | null => {
  const epoch = query.get("epoch")
  const lastSeq = query.get("last_seq")
  if (lastSeq === null || !/^\d{1,15}$/.test(lastSeq)) return null
  // Without its epoch a position cannot be trusted: the client is told that it was not recovered.
  return { epoch: epoch ?? "", lastSeq: Number(lastSeq) }
}
