/**
 * Who may open a socket, decided before the handshake, so that a refusal is a plain HTTP answer.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { TokenService } from "../account/Tokens.ts"
import { tokenOf } from "../account/tokenOf.ts"
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

/** As clients write it: nothing in it that would have to be resolved, so that it need not be parsed as a URL. */
const plainTarget = /^\/api\/v1\/(?:(assistant|workflow)\/)?chat\/([0-9a-zA-Z-]+)(?:\?([^#]*))?$/

const isWanted = (kind: string | undefined): kind is "assistant" | "workflow" =>
  kind === "assistant" || kind === "workflow"

/** What the front door knows of who may come in. */
export interface Entry {
  readonly tokens: TokenService
  readonly allowedOrigins: ReadonlyArray<string>
}

/** Plain code: there is nothing to wait for, and each of the interpreter's steps costs what a header costs. */
export const readHandshake = (
  request: IncomingMessage,
  { tokens, allowedOrigins }: Entry,
  now: number
): Either.Either<Request, Refused> => {
  const place = readPlace(request.url ?? "")
  if (place === null) return refuse(404, "no socket here")
  if (!isAllowed(request.headers, allowedOrigins)) {
    return refuse(403, "this origin is not allowed (ALLOWED_ORIGINS)")
  }
  const { wanted, flow, query } = place
  const token = tokenOf(request.headers, query)
  if (Option.isNone(token)) return refuse(401, "sign in first")
  const signedIn = tokens.verifyAt(token.value, now)
  if (Either.isLeft(signedIn)) {
    const isOver = signedIn.left.reason === "expired"
    return refuse(401, isOver ? "the token expired; sign in again" : "the token is not valid")
  }
  const address = readAddress(flow, query)
  if (Either.isLeft(address)) return Either.left(address.left)
  const { userId, expiresAt } = signedIn.right
  const ip = request.socket.remoteAddress ?? ""
  return Either.right({
    address: address.right,
    wanted,
    versionId: readVersion(query),
    resume: readResume(query),
    identity: { userId, expiresAt, ip, ...readForms(query) }
  })
}

const refuse = (status: Refused["status"], text: string) => Either.left(new Refused({ status, text }))

/** What the URL of a socket says. */
interface Place {
  readonly wanted: Wanted
  /** The app, as it was written. */
  readonly flow: string
  readonly query: URLSearchParams
}

const readPlace = (target: string): Place | null => {
  const plain = plainTarget.exec(target)
  if (plain !== null) return placeOf(plain, new URLSearchParams(plain[3]))
  const url = URL.parse(target, "http://localhost")
  const match = url === null ? null : path.exec(url.pathname)
  return url === null || match === null ? null : placeOf(match, url.searchParams)
}

const placeOf = (match: RegExpExecArray, query: URLSearchParams): Place => ({
  wanted: isWanted(match[1]) ? match[1] : null,
  flow: match[2] ?? "",
  query
})

/** Browsers name the page's origin: it must be ours or a listed one. Other programs name none. */
const isAllowed = ({ origin, host }: IncomingHttpHeaders, allowed: ReadonlyArray<string>): boolean =>
  origin === undefined ||
  allowed.includes("*") ||
  allowed.includes(origin) ||
  URL.parse(origin)?.host === host

const readAddress = (flow: string, query: URLSearchParams): Either.Either<Address, Refused> => {
  const flowId = normalFlowId(flow)
  if (flowId === null) return refuse(404, "an app id is 32 hex digits")
  const chatId = query.get("chat_id") ?? ""
  if (chatId !== "" && !isChatId(chatId)) {
    return refuse(400, 'chat_id must be 1 to 64 letters, digits or "_.:-"')
  }
  return Either.right({ flowId, chatId })
}

const readForms = (query: URLSearchParams): Pick<PeerIdentity, "native" | "brief"> => {
  const native = query.get("native") === "1"
  return { native, brief: native && query.get("brief") === "1" }
}

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
