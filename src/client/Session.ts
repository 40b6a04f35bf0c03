/**
 * One conversation as a client holds it: what was asked and not yet acknowledged, how far its frames were
 * read, and the events that come of them. Its socket may come and go; it goes on where it left off.
 */
import { type AskOptions, type FormValue, type ReplyOptions, type SendOptions, sayValue } from "./asks.ts"
import type { Clock } from "./clock.ts"
import { EventQueue } from "./EventQueue.ts"
import type { ChatError, ConnectionState, SessionEvent } from "./events.ts"
import { messageFields, type ServerFrame } from "./frame.ts"
import type { HistoryPage, HistoryQuery } from "./history.ts"
import { type Fields, numberOrNull, textOf, textOrNull } from "./json.ts"
import { newId } from "./newId.ts"
import { Outbox, type Pending } from "./Outbox.ts"
import { type ReplyValues, readReply, replyPayload } from "./prompts.ts"
import { QueueKeeper } from "./QueueKeeper.ts"
import type { QueuedQuestion } from "./queue.ts"
import type { ServerRequest } from "./server.ts"
import { type ChatState, initialState, reduce } from "./state.ts"
import { asks } from "./storedParts.ts"
import { errorOf, retryAfterOf, Translator } from "./Translator.ts"

/** What a session needs of the client that made it. */
export interface SessionPort {
  readonly clock: Clock
  readonly bufferSize: number
  readonly keepHistory: boolean
  /** Answers false when there is no connection. */
  readonly send: (payload: Readonly<Record<string, unknown>>) => boolean
  /** The frames cannot be followed any more on this connection. */
  readonly renew: (reason: string) => void
  /** The server asked for patience before the next connection. */
  readonly holdBack: (ms: number) => void
  readonly history: (query: HistoryQuery) => Promise<HistoryPage>
  /** Over HTTP; answers the `data`. */
  readonly ask: (path: string, request?: ServerRequest) => Promise<unknown>
  readonly connection: () => ConnectionState
  readonly closed: () => void
}

/** A question that the server turned away for now is said again this often at most. */
const maxPatience = 5

export class Session {
  readonly flowId: string
  readonly chatId: string
  private readonly port: SessionPort
  private readonly outbox = new Outbox()
  private readonly translator = new Translator()
  private readonly queues = new Set<EventQueue>()
  private readonly listeners = new Set<() => void>()
  private readonly waiting: QueueKeeper
  private snapshot: ChatState = initialState
  /** Where the frames were left; null before the first. */
  private position: { epoch: string; lastSeq: number } | null = null
  /** Whether the server follows this session for us on the connection there is. */
  private following = false
  private runId: string | null = null
  private stopping: { readonly runId: string | null; readonly scope: "run" | "all" } | null = null
  private clearing = false
  private retries = 0
  private ended = false
  private loading = false

  constructor(flowId: string, chatId: string, port: SessionPort) {
    this.flowId = flowId
    this.chatId = chatId
    this.port = port
    this.waiting = new QueueKeeper({
      chatId,
      follows: port.keepHistory,
      known: () => this.snapshot.queue,
      emit: (event) => {
        if (!this.ended) this.emit(event)
      },
      ask: port.ask
    })
  }

  /** Everything a page shows, folded from the events so far. A new object after each change. */
  get state(): ChatState {
    return this.snapshot
  }

  /** Calls back after each change of `state`, until the answer is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }

  /** What happens from now on. Each call is a reader of its own, with a bounded buffer. */
  events(): AsyncIterableIterator<SessionEvent, undefined> {
    const queue = new EventQueue(this.port.bufferSize, (gone) => this.queues.delete(gone))
    if (this.ended) queue.end()
    else this.queues.add(queue)
    return queue
  }

  /** Asks. Kept and sent when there is a connection; answers the id that makes it idempotent. */
  send(text: string, { inputs, ...options }: SendOptions = {}): string {
    return this.ask({ inputs: { ...inputs, input: text } }, { text, ...options })
  }

  /** Starts a workflow. */
  start(data: Readonly<Record<string, unknown>> = {}, options: AskOptions = {}): string {
    return this.ask({ action: "init_data", data }, options)
  }

  /**
   * Asks many questions, one after the other, about files and with variables of the app's nodes. Without
   * `questions` those that the app brings are asked. The same `clientMsgId` again goes on where it broke off.
   */
  batch(
    values: ReadonlyArray<FormValue>,
    { questions, ...options }: AskOptions & { readonly questions?: ReadonlyArray<string> } = {}
  ): string {
    const asked = questions === undefined ? {} : { questions }
    return this.ask({ action: "auto_file", inputs: { data: values.map(sayValue), ...asked } }, options)
  }

  /** Has the app write its document. */
  report(values: ReadonlyArray<FormValue> = [], options: AskOptions = {}): string {
    return this.ask({ action: "report", inputs: { data: values.map(sayValue) } }, options)
  }

  /**
   * Answers what the run asks (`state.waiting`): a text, a choice's id, or a form's values by field. Kept and
   * sent as questions are. Answers null where nothing is asked.
   */
  reply(answer: string | ReplyValues, options: ReplyOptions = {}): string | null {
    const prompt = options.prompt ?? this.snapshot.waiting
    if (prompt === null) return null
    const clientMsgId = options.clientMsgId ?? newId()
    const { text, values } = readReply(prompt, answer, options.files)
    const { runId, nodeId } = prompt
    return this.hand({
      clientMsgId,
      payload: replyPayload(prompt, text, values),
      event: { type: "replying", clientMsgId, runId, nodeId, text, at: this.port.clock.now() }
    })
  }

  /** Says once more what the server refused, under the same id. Answers false where it is not known any more. */
  resend(clientMsgId: string): boolean {
    const pending = this.outbox.refusedWith(clientMsgId)
    if (pending !== null) this.hand(pending)
    return pending !== null
  }

  private ask(
    what: Readonly<Record<string, unknown>>,
    { onBusy, text = "", clientMsgId = newId() }: AskOptions
  ): string {
    const payload = onBusy === undefined ? what : { ...what, on_busy: onBusy }
    const event = { type: "sending", clientMsgId, text, at: this.port.clock.now() } as const
    return this.hand({ clientMsgId, payload, event })
  }

  private hand(pending: Pending): string {
    const { clientMsgId } = pending
    this.emit(pending.event)
    if (this.ended || this.port.connection().status === "refused") {
      this.outbox.keepRefused(pending)
      this.refuse(clientMsgId, { code: 0, message: "not connected", detail: "" })
      return clientMsgId
    }
    this.outbox.add(pending)
    if (this.following) this.say(pending)
    return clientMsgId
  }

  /** Ends the run in progress; with "all" the waiting questions too. */
  stop(options: { readonly scope?: "run" | "all" } = {}): void {
    this.stopping = { runId: this.runId, scope: options.scope ?? "run" }
    if (this.following) this.sayStop()
  }

  /**
   * The questions that wait for their turn, whoever asked them, the next one first. `state.queue` gets them too,
   * and is kept up to date.
   */
  queue(): Promise<ReadonlyArray<QueuedQuestion>> {
    return this.waiting.read()
  }

  /** Takes a waiting question out of the queue, or ends the run that it has become. false: it had ended. */
  cancel(runId: string): Promise<boolean> {
    return this.waiting.cancel(runId)
  }

  /** Changes what a waiting question says. Fails with a `ServerError` of code 13011 once it does not wait any more. */
  amend(runId: string, text: string): Promise<void> {
    return this.waiting.amend(runId, text)
  }

  /** The model forgets what was said; the stored messages stay. */
  clearHistory(): void {
    this.clearing = true
    if (this.following) this.sayClear()
  }

  /** Stored messages, newest first. */
  history(query: HistoryQuery = {}): Promise<HistoryPage> {
    return this.port.history(query)
  }

  /** Fetches the stored messages before those in `state` into `state`. */
  async loadOlder(): Promise<void> {
    const { before } = this.snapshot
    if (before !== null) await this.load({ before })
  }

  /** Fetches the newest stored messages into `state`. */
  async reload(): Promise<void> {
    await this.load({})
  }

  close(): void {
    if (this.ended) return
    this.ended = true
    for (const queue of this.queues) queue.end()
    this.queues.clear()
    this.listeners.clear()
    this.port.closed()
  }

  /** The payload that opens this session on a socket that is not its own. */
  opening(): Readonly<Record<string, unknown>> {
    const { position } = this
    if (position === null) return this.address
    return { ...this.address, last_seq: position.lastSeq, epoch: position.epoch }
  }

  get resumePoint(): { readonly epoch: string; readonly lastSeq: number } | null {
    return this.position
  }

  /** Nothing is said, and no frame read, before the server has introduced the session on the connection. */
  unfollow(): void {
    this.following = false
  }

  connectionChanged(state: ConnectionState): void {
    if (state.status !== "connected") this.unfollow()
    if (state.status === "refused") {
      const error = { code: state.code, message: state.reason, detail: "" }
      for (const clientMsgId of this.outbox.refuseAll()) this.refuse(clientMsgId, error)
    }
    this.emit({ type: "connection", state })
  }

  receive(frame: ServerFrame): void {
    if (this.ended) return
    if (frame.type === "info") this.informed(frame)
    else if (frame.seq === null && frame.category === "error") this.turnedAway(frame)
    else if (frame.seq === null || this.advance(frame.firstSeq ?? frame.seq, frame.seq)) {
      for (const event of this.translator.translate(frame, this.port.clock.now())) this.happened(event)
    }
  }

  /** Moves the position over a frame. Answers false for one that is not the next. */
  private advance(first: number, last: number): boolean {
    const { position } = this
    if (!this.following || position === null || last <= position.lastSeq) return false
    if (first !== position.lastSeq + 1) {
      this.following = false
      this.port.renew("frames are missing")
      return false
    }
    position.lastSeq = last
    return true
  }

  private informed(frame: ServerFrame): void {
    const message = messageFields(frame.message)
    if (frame.category === "queue") this.queued(message)
    if (frame.category === "session") this.opened(message)
  }

  private queued(message: Fields): void {
    this.outbox.settle(textOrNull(message, "client_msg_id"))
    this.waiting.told(message)
  }

  /** At first, after each reconnect, and whenever the server's own log of the session is another one. */
  private opened(message: Fields): void {
    const { position: known, following: midway } = this
    const recovered = message["recovered"] === true && known !== null
    const epoch = textOf(message, "epoch")
    const status = textOf(message, "status")
    const isOther = !recovered || known.epoch !== epoch
    if (isOther) this.position = { epoch, lastSeq: numberOrNull(message, "seq") ?? 0 }
    if (!recovered) this.translator.reset()
    this.following = true
    this.runId = textOrNull(message, "run_id")
    this.emit({ type: "opened", recovered, runId: this.runId })
    // What a run waits for may be older than the frames that are kept.
    if (isOther && status === "waiting") this.checkStatus()
    // Nothing was missed on a connection that stands: what was said on it has been heard.
    if (midway && recovered) return
    if (!recovered && this.port.keepHistory) void this.load({})
    this.waiting.opened(status)
    this.catchUp()
  }

  /** Says what could not be said while there was no connection. */
  private catchUp(): void {
    if (this.clearing) this.sayClear()
    for (const question of this.outbox.all) this.say(question)
    if (this.stopping === null) return
    // Only the run that was meant: a newer one is not stopped for it.
    if (this.stopping.runId === this.runId || this.stopping.scope === "all") this.sayStop()
    else this.stopping = null
  }

  /** The server asked to slow down, and dropped what it was told: unacknowledged questions are said again. */
  slowDown(ms: number): void {
    this.port.holdBack(ms)
    if (this.outbox.isEmpty) return
    this.port.clock.after(ms, () => {
      if (this.following) for (const question of this.outbox.all) this.say(question)
    })
  }

  /** An error meant for this socket: about a question of ours, or the session as a whole. */
  private turnedAway(frame: ServerFrame): void {
    const error = errorOf(frame)
    const wait = retryAfterOf(frame)
    if (wait !== null && this.retries < maxPatience) {
      this.retries += 1
      this.slowDown(wait)
      return
    }
    this.retries = 0
    const named = textOf(frame.extra, "client_msg_id") || null
    if (!this.following && named === null) {
      // The session itself was refused, and every question with it.
      for (const clientMsgId of this.outbox.refuseAll()) this.refuse(clientMsgId, error)
      this.refuse(null, error)
      return
    }
    const clientMsgId = named ?? this.outbox.oldest
    if (clientMsgId !== null) this.outbox.refuse(clientMsgId)
    this.refuse(clientMsgId, error)
  }

  private happened(event: SessionEvent): void {
    if (event.type === "run_started") {
      this.runId = event.runId
      this.waiting.begun()
      this.retries = 0
      this.outbox.settle(event.question.clientMsgId)
    }
    if (event.type === "accepted") this.outbox.settle(event.clientMsgId)
    if (event.type === "continued") {
      this.runId = event.runId
      this.retries = 0
      this.outbox.settle(event.reply.clientMsgId)
    }
    if (event.type === "prompted") this.runId = event.runId
    if (event.type === "run_closed") {
      this.outbox.settleReplies(event.runId)
      if (this.runId === event.runId) this.runId = null
      if (this.stopping?.runId === event.runId) this.stopping = null
    }
    if (event.type === "idle") this.stopping = null
    this.emit(event)
  }

  private refuse(clientMsgId: string | null, error: ChatError): void {
    this.emit({ type: "failed", runId: null, clientMsgId, error })
  }

  private emit(event: SessionEvent): void {
    this.snapshot = reduce(this.snapshot, event)
    for (const queue of this.queues) queue.push(event)
    for (const listener of this.listeners) listener()
  }

  /** A server that was started anew does not know yet that a run waits; what the history ends with tells. */
  private askWhatWaits(): void {
    const { runId, waiting, stored } = this.snapshot
    const last = stored.at(-1)
    if (this.following && runId === null && waiting === null && last !== undefined && asks(last)) {
      this.checkStatus()
    }
  }

  private async load(query: HistoryQuery): Promise<void> {
    if (this.loading && query.before !== undefined) return
    this.loading = true
    this.emit({ type: "history_loading" })
    try {
      const page = await this.port.history(query)
      if (this.ended) return
      this.emit({ type: "history", page })
      if (query.before === undefined) this.askWhatWaits()
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      const error = { code: 0, message: "the history could not be loaded", detail: message }
      if (!this.ended) this.emit({ type: "history_failed", error })
    } finally {
      this.loading = false
    }
  }

  private get address() {
    return { flow_id: this.flowId, chat_id: this.chatId }
  }

  private say({ clientMsgId, payload }: Pending): void {
    this.port.send({ ...this.address, ...payload, client_msg_id: clientMsgId })
  }

  /** Asks what the run waits for: it is told as `prompted`, to us alone. */
  private checkStatus(): void {
    this.port.send({ ...this.address, action: "check_status" })
  }

  private sayStop(): void {
    if (this.stopping === null) return
    const all = this.stopping.scope === "all" ? { scope: "all" } : {}
    const sent = this.port.send({ ...this.address, action: "stop", ...all })
    if (sent && this.runId === null) this.stopping = null
  }

  private sayClear(): void {
    if (this.port.send({ ...this.address, clear_history: true })) this.clearing = false
  }
}
