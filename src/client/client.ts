/**
 * The client of a Colloquy server, for browsers and Node 20 and later, without dependencies.
 *
 * ```ts
 * import { connect } from "colloquy/client"
 *
 * const client = connect({ url: "http://127.0.0.1:7860", token })
 * const session = client.session({ flowId, chatId: crypto.randomUUID() })
 * const events = session.events()
 * session.send("What can you do?")
 * for await (const event of events) {
 *   if (event.type === "text") process.stdout.write(event.text)
 *   if (event.type === "run_closed") break
 * }
 * client.close()
 * ```
 *
 * Promises:
 * - All sessions of a client share one socket, which comes back by itself with backoff and jitter, and stays
 *   away only where the server says that coming back is no use (`connection.status === "refused"`).
 * - A server that is about to stop is left in time for another one, without a moment between the two.
 * - A session goes on where it left off: no event is lost or told twice. Where the server no longer has what
 *   was missed, `opened` says `recovered: false`, and the history has the rest. That may be at any moment.
 * - A question is said again until the server has acknowledged it, always under the same id, and is answered
 *   once. So is a reply to a run that waits for a person.
 */
import { type Backoff, type Clock, defaultBackoff, systemClock } from "./clock.ts"
import type { ConnectionState } from "./events.ts"
import { FrameReader } from "./FrameReader.ts"
import { messageFields, parseFrame, type ServerFrame } from "./frame.ts"
import { type HistoryPage, type HistoryQuery, readHistory } from "./history.ts"
import { numberOrNull, textOf } from "./json.ts"
import { type Ending, Link } from "./Link.ts"
import { Session } from "./Session.ts"
import { askServer, type Fetch, ServerError, socketAddress, type Token } from "./server.ts"
import { globalSocket, type SocketConstructor } from "./socket.ts"
import { retryAfterOf } from "./Translator.ts"

export type { AskOptions, FormValue, ReplyOptions, SendOptions } from "./asks.ts"
export type { Backoff, Clock } from "./clock.ts"
export type { ChatError, ConnectionState, Question, RunTelling, SessionEvent } from "./events.ts"
export type { HistoryPage, HistoryQuery, StoredMessage } from "./history.ts"
export type {
  AssistantMessage,
  FileLink,
  Message,
  NodeTrace,
  Part,
  Progress,
  PromptPart,
  ReplyPart,
  RowPart,
  SaidPart,
  SourceLink,
  ToolUse,
  UserMessage,
  Work
} from "./messages.ts"
export type {
  Choice,
  ChoosePrompt,
  EditPrompt,
  FormField,
  FormPrompt,
  InputPrompt,
  Prompt,
  ReplyValues
} from "./prompts.ts"
export type { QueuedQuestion } from "./queue.ts"
export type { Session } from "./Session.ts"
export { ServerError } from "./server.ts"
export type { SocketConstructor, SocketLike } from "./socket.ts"
export { type ChatState, initialState, reduce } from "./state.ts"

export interface ConnectOptions {
  /** `http://host:port` of the server; a page's own origin unless said. */
  readonly url?: string
  /** The access token, or how to get one, asked before every try. Pages need none: the cookie is sent. */
  readonly token?: Token
  /** A WebSocket for platforms without one (Node before 22): `(await import("ws")).WebSocket`. */
  readonly WebSocket?: SocketConstructor
  readonly fetch?: Fetch
  readonly backoff?: Backoff
  readonly clock?: Clock
  /** Events that one reader of `session.events()` may be behind; 1024 unless said. */
  readonly bufferSize?: number
}

export interface SessionOptions {
  readonly flowId: string
  readonly chatId: string
  /** Keep stored messages in `session.state`, loaded whenever they are needed. Off unless said. */
  readonly history?: boolean
}

/** Close codes after which the same request will not be served: docs/protocol.md, "Errors and close frames". */
export const finalCloseCodes: ReadonlySet<number> = new Set([1000, 1003, 1009, 4401, 4403, 4404, 4409])

/** Those that speak of the socket's own session; other sessions may still be served on another socket. */
const sessionCloseCodes: ReadonlySet<number> = new Set([4403, 4404, 4409])

/** The server follows no more than 64 sessions for one socket: left ones are shed by a new socket. */
const maxLeft = 16

const defaultLimit = 30

export const connect = (options: ConnectOptions = {}): Client => new Client(options)

export class Client {
  private readonly options: ConnectOptions
  private readonly link: Link
  private readonly reader = new FrameReader()
  private readonly sessions = new Map<string, Session>()
  private readonly listeners = new Set<(state: ConnectionState) => void>()
  /** The session that the socket's address names. */
  private own: Session | null = null
  /** The one that the latest address names, which may have got no socket yet. */
  private dialled: Session | null = null
  private left = 0

  constructor(options: ConnectOptions) {
    this.options = options
    this.link = new Link({
      address: () => this.address(),
      ping: JSON.stringify({ action: "ping" }),
      WebSocket: options.WebSocket ?? globalSocket(),
      clock: options.clock ?? systemClock,
      backoff: options.backoff ?? defaultBackoff,
      onOpen: () => this.opened(),
      onText: (text) => this.route(text),
      isWelcome: (text) => isIntroduction(parseFrame(text)),
      onState: (state) => this.changed(state),
      comeBack: (ending, opened) => this.comeBack(ending, opened)
    })
  }

  get connection(): ConnectionState {
    return this.link.state
  }

  /** Calls back at each change of `connection`, until the answer is called. */
  onConnection(listener: (state: ConnectionState) => void): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  /** The session of this app and chat; the same object while it is open. */
  session({ flowId, chatId, history = false }: SessionOptions): Session {
    const flow = flowId.replaceAll("-", "").toLowerCase()
    const key = `${flow}/${chatId}`
    const known = this.sessions.get(key)
    if (known !== undefined) return known
    const session: Session = new Session(flow, chatId, {
      clock: this.options.clock ?? systemClock,
      bufferSize: this.options.bufferSize ?? 1024,
      keepHistory: history,
      send: (payload) => this.link.send(JSON.stringify(payload)),
      renew: (reason) => this.link.renew(reason),
      holdBack: (ms) => this.link.holdBack(ms),
      history: (query) => this.history(flow, chatId, query),
      ask: (path, request) => askServer(this.options, path, request),
      connection: () => this.link.state,
      closed: () => this.leave(key, session)
    })
    this.sessions.set(key, session)
    if (this.link.state.status === "connected") this.link.send(JSON.stringify(session.opening()))
    else this.link.start()
    return session
  }

  /** Tries now instead of later; after "refused", tries again (signed in anew, say). */
  retry(): void {
    this.link.retry()
  }

  close(): void {
    for (const session of [...this.sessions.values()]) session.close()
    this.link.stop()
  }

  private leave(key: string, session: Session): void {
    this.sessions.delete(key)
    if (this.own === session) this.own = null
    if (this.dialled === session) this.dialled = null
    this.left += 1
    if (this.sessions.size === 0) this.link.stop()
    else if (this.left >= maxLeft) this.link.renew("shedding left sessions")
  }

  private address(): Promise<string> {
    const [own] = this.sessions.values()
    if (own === undefined) return Promise.reject(new Error("no session is open"))
    this.dialled = own
    return socketAddress(this.options, own.flowId, own.chatId, own.resumePoint)
  }

  /** The sessions are followed on this socket from now on, each once the server has introduced it. */
  private opened(): void {
    this.own = this.dialled
    this.left = 0
    this.reader.forget()
    for (const session of this.sessions.values()) {
      session.unfollow()
      if (session !== this.own) this.link.send(JSON.stringify(session.opening()))
    }
  }

  private route(text: string): void {
    const frame = this.reader.read(text)
    if (frame === null) return
    const moveIn = timeToMove(frame)
    if (moveIn !== null) this.link.move(moveIn)
    const session = this.sessions.get(`${frame.flowId}/${frame.chatId}`)
    session?.receive(frame)
    const wait = frame.seq === null && frame.category === "error" ? retryAfterOf(frame) : null
    // Who is too fast is not said: whichever question was dropped is said again.
    if (wait !== null) for (const other of this.sessions.values()) if (other !== session) other.slowDown(wait)
  }

  private changed(state: ConnectionState): void {
    for (const session of [...this.sessions.values()]) session.connectionChanged(state)
    for (const listener of this.listeners) listener(state)
  }

  /** null: come back. */
  private async comeBack(ending: Ending, opened: boolean): Promise<Ending | null> {
    if (!opened) return this.whyNot()
    if (!finalCloseCodes.has(ending.code)) return null
    // A fresh token may be had.
    if (ending.code === 4401 && typeof this.options.token === "function") return null
    return sessionCloseCodes.has(ending.code) ? this.without(this.own, ending) : ending
  }

  /** Browsers do not say why a handshake failed: the server is asked another way. */
  private async whyNot(): Promise<Ending | null> {
    const own = this.dialled
    if (own === null) return null
    const status = await own.history({ limit: 1 }).then(
      () => 200,
      (error: unknown) => (error instanceof ServerError ? error.status : 0)
    )
    // A fresh token may be had.
    if (status === 401 && typeof this.options.token !== "function") {
      return { code: 401, reason: "sign in first" }
    }
    if (status !== 403) return null
    return this.without(own, { code: 403, reason: "this chat is not yours" })
  }

  /** The others need not suffer for the one that the server will not serve. */
  private without(own: Session | null, ending: Ending): Ending | null {
    if (this.sessions.size <= 1) return ending
    own?.close()
    return null
  }

  private async history(flowId: string, chatId: string, query: HistoryQuery): Promise<HistoryPage> {
    const limit = query.limit ?? defaultLimit
    const parameters = new URLSearchParams({ flow_id: flowId, chat_id: chatId, page_size: `${limit}` })
    if (query.before !== undefined) parameters.set("id", `${query.before}`)
    return readHistory(await askServer(this.options, `/api/v1/chat/history?${parameters}`), query, limit)
  }
}

/** A session is followed from here on. */
const isIntroduction = (frame: ServerFrame | null): boolean =>
  frame?.type === "info" && frame.category === "session"

/** In how many milliseconds the server wants to be left for another; null: it does not. */
const timeToMove = ({ type, category, message }: ServerFrame): number | null => {
  if (type !== "info" || category !== "system") return null
  const fields = messageFields(message)
  return textOf(fields, "action") === "reconnect" ? (numberOrNull(fields, "after_ms") ?? 0) : null
}
