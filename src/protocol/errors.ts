/**
 * Every error a client can be told of, and the one table that says how it is told: status code, close
 * code, words. An error without a row does not compile.
 */
import * as Match from "effect/Match"
import * as Schema from "effect/Schema"

const flow = { flowId: Schema.String }

export class AppDeleted extends Schema.TaggedError<AppDeleted>()("AppDeleted", {
  ...flow,
  kind: Schema.Literal("skill", "assistant", "workflow")
}) {}

export class AppOffline extends Schema.TaggedError<AppOffline>()("AppOffline", {
  ...flow,
  kind: Schema.Literal("skill", "assistant", "workflow")
}) {}

export class AppNotBuilt extends Schema.TaggedError<AppNotBuilt>()("AppNotBuilt", {
  ...flow,
  reason: Schema.String
}) {}

/** The endpoint serves another kind of app than this one. */
export class AppOfOtherKind extends Schema.TaggedError<AppOfOtherKind>()("AppOfOtherKind", {
  ...flow,
  wanted: Schema.Literal("assistant", "workflow")
}) {}

/** A model, tool or node failed. `reason` is shown to the user: no secrets in it. */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", {
  reason: Schema.String,
  kind: Schema.Literal("skill", "assistant", "workflow"),
  /** "document": a file could not be read, and nothing else went wrong. */
  about: Schema.optional(Schema.Literal("document"))
}) {}

/** The server that owned the run is gone. */
export class RunLost extends Schema.TaggedError<RunLost>()("RunLost", {}) {}

export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  reason: Schema.String
}) {}

/** Not a JSON object. The third of these closes the socket. */
export class NotJson extends Schema.TaggedError<NotJson>()("NotJson", {}) {}

export class SessionBusy extends Schema.TaggedError<SessionBusy>()("SessionBusy", {}) {}

export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  limit: Schema.Int
}) {}

export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  retryAfterMs: Schema.Int
}) {}

/** The session or resource belongs to someone else. */
export class NotYours extends Schema.TaggedError<NotYours>()("NotYours", {
  what: Schema.String
}) {}

export class TokenExpired extends Schema.TaggedError<TokenExpired>()("TokenExpired", {}) {}

export class BinaryFrame extends Schema.TaggedError<BinaryFrame>()("BinaryFrame", {}) {}

export class FrameTooLarge extends Schema.TaggedError<FrameTooLarge>()("FrameTooLarge", {}) {}

export class TooSlow extends Schema.TaggedError<TooSlow>()("TooSlow", {}) {}

export class Draining extends Schema.TaggedError<Draining>()("Draining", {}) {}

/** To who comes while the server stops: another node has room, or this one again in a moment. */
export class Leaving extends Schema.TaggedError<Leaving>()("Leaving", {}) {}

export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  retryAfterMs: Schema.Int
}) {}

/** Something nobody foresaw, storage failures included. The log has the cause under `errorId`. */
export class Defect extends Schema.TaggedError<Defect>()("Defect", { errorId: Schema.String }) {}

export type AppError = AppDeleted | AppOffline | AppNotBuilt | AppOfOtherKind

export type ProtocolError =
  | AppError
  | RunFailed
  | RunLost
  | InvalidInput
  | NotJson
  | SessionBusy
  | QueueFull
  | RateLimited
  | NotYours
  | TokenExpired
  | BinaryFrame
  | FrameTooLarge
  | TooSlow
  | Draining
  | Leaving
  | Overloaded
  | Defect

export interface ErrorRow {
  /** `status_code` of the error frame, and the head of the close reason. */
  readonly status: number
  /** The close code this error ends the socket with; null where the socket stays open. */
  readonly close: number | null
  /** May the client come back with the same request? */
  readonly reconnect: boolean
  /** Short words for people: they tell what to do. */
  readonly text: string
  /** More for `data` of the error frame. */
  readonly data?: Readonly<Record<string, string | number | boolean | null>>
}

type Kind = "skill" | "assistant" | "workflow"

const byKind = (kind: Kind, skill: number, assistant: number, workflow: number): number =>
  ({ skill, assistant, workflow })[kind]

const rowOf = Match.typeTags<ProtocolError, ErrorRow>()({
  AppDeleted: ({ kind }) => ({
    status: byKind(kind, 13001, 10420, 13010),
    close: 4404,
    reconnect: false,
    text: "this app does not exist or was deleted"
  }),
  AppOffline: ({ kind }) => ({
    status: byKind(kind, 13002, 10421, 13010),
    close: 4403,
    reconnect: false,
    text: "this app is not online"
  }),
  AppNotBuilt: ({ reason }) => ({
    status: 13003,
    close: 4409,
    reconnect: false,
    text: "this app is not built; build it first",
    data: { exception: reason }
  }),
  AppOfOtherKind: ({ wanted }) => ({
    status: wanted === "assistant" ? 10420 : 13010,
    close: 4404,
    reconnect: false,
    text: `this app is not ${wanted === "assistant" ? "an assistant" : "a workflow"}`
  }),
  RunFailed: ({ kind, reason, about }) => ({
    status: about === "document" ? 13006 : byKind(kind, 13005, 10499, 13005),
    close: null,
    reconnect: true,
    text: about === "document" ? "a document could not be read" : "the run failed",
    data: { exception: reason, error: reason }
  }),
  RunLost: () => ({
    status: 13015,
    close: null,
    reconnect: true,
    text: "the server that ran this is gone; ask again"
  }),
  InvalidInput: ({ reason }) => ({
    status: 13007,
    close: null,
    reconnect: true,
    text: "the message was not understood",
    data: { exception: reason }
  }),
  /** Closes the socket the third time. */
  NotJson: () => ({
    status: 13007,
    close: 1007,
    reconnect: true,
    text: "a message must be one JSON object"
  }),
  SessionBusy: () => ({
    status: 13011,
    close: null,
    reconnect: true,
    text: "this session is answering; wait or stop it first"
  }),
  QueueFull: ({ limit }) => ({
    status: 13012,
    close: null,
    reconnect: true,
    text: "too many questions are waiting in this session",
    data: { limit }
  }),
  /** Closes the socket when it goes on. */
  RateLimited: ({ retryAfterMs }) => ({
    status: 13013,
    close: 1008,
    reconnect: true,
    text: "too many messages; slow down",
    data: { retry_after_ms: retryAfterMs }
  }),
  NotYours: ({ what }) => ({
    status: 13014,
    close: null,
    reconnect: false,
    text: `this ${what} is not yours, or was deleted`
  }),
  TokenExpired: () => ({
    status: 401,
    close: 4401,
    reconnect: false,
    text: "the token expired; sign in again"
  }),
  BinaryFrame: () => ({
    status: 13007,
    close: 1003,
    reconnect: false,
    text: "only text frames are understood"
  }),
  FrameTooLarge: () => ({
    status: 13007,
    close: 1009,
    reconnect: false,
    text: "the message is too large"
  }),
  TooSlow: () => ({
    status: 408,
    close: 4408,
    reconnect: true,
    text: "too slow to read; resume later with last_seq"
  }),
  Draining: () => ({
    status: 503,
    close: 1012,
    reconnect: true,
    text: "the server restarts; reconnect"
  }),
  Leaving: () => ({
    status: 503,
    close: 1013,
    reconnect: true,
    text: "this server stops; connect again in a moment",
    data: { retry_after_ms: 1000 }
  }),
  Overloaded: ({ retryAfterMs }) => ({
    status: 503,
    close: 1013,
    reconnect: true,
    text: "the server is full; try again later",
    data: { retry_after_ms: retryAfterMs }
  }),
  Defect: ({ errorId }) => ({
    status: 13004,
    close: 1011,
    reconnect: true,
    text: "something went wrong in the server",
    data: { error_id: errorId }
  })
})

/** What one error becomes: the same words for the error frame, the close frame and the REST envelope. */
export interface Told {
  readonly status_code: number
  readonly status_message: string
  readonly data: Readonly<Record<string, string | number | boolean | null>>
  readonly close: { readonly code: number; readonly reason: string } | null
}

export const tell = (error: ProtocolError): Told => {
  const { status, text, close, data } = rowOf(error)
  return {
    status_code: status,
    status_message: text,
    data: { exception: text, ...data },
    close: close === null ? null : { code: close, reason: closeReason(status, text) }
  }
}

const maxReasonBytes = 123

/** `"<status> <text>"`, cut at a character so that it fits into a close frame. */
export const closeReason = (status: number, text: string): string => {
  const whole = `${status} ${text}`
  if (Buffer.byteLength(whole) <= maxReasonBytes) return whole
  let cut = ""
  let bytes = 0
  for (const character of whole) {
    bytes += Buffer.byteLength(character)
    if (bytes > maxReasonBytes) break
    cut += character
  }
  return cut
}
