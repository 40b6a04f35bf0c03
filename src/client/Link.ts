/**
 * One socket that comes back: it dials, notices silence, waits with backoff, moves to another one when asked,
 * and stops where the server says that coming back is no use. What is said on it is not its business.
 */
import { type Backoff, backoffDelay, type Clock } from "./clock.ts"
import type { ConnectionState } from "./events.ts"
import type { SocketConstructor, SocketLike } from "./socket.ts"

/** Without a word from the server for this long, it is asked for one. */
export const quietMs = 25_000
/** And after this long without an answer the connection is given up. */
export const pongMs = 10_000
/** A connection that held this long was a good one. */
const goodMs = 10_000

/** Why a connection ended. */
export interface Ending {
  readonly code: number
  readonly reason: string
}

export interface LinkOptions {
  /** Where to dial; asked for before every try. */
  readonly address: () => Promise<string>
  /** What to say when the server has been silent. */
  readonly ping: string
  readonly WebSocket: SocketConstructor
  readonly clock: Clock
  readonly backoff: Backoff
  /** There is a connection, a first or another one: nothing was said on it yet. */
  readonly onOpen: () => void
  readonly onText: (text: string) => void
  /** Whether these first words of a server mean that it will serve us, and not that it turns us away. */
  readonly isWelcome: (text: string) => boolean
  readonly onState: (state: ConnectionState) => void
  /** Decides after each ending whether to come back; `opened` is false where there was no handshake. */
  readonly comeBack: (ending: Ending, opened: boolean) => Promise<Ending | null>
}

export class Link {
  private readonly options: LinkOptions
  private socket: SocketLike | null = null
  /** Dialled beside `socket`, to take its place. */
  private next: SocketLike | null = null
  private current: ConnectionState = { status: "idle" }
  private attempt = 0
  /** Everything that belongs to an earlier try is ignored. */
  private generation = 0
  private openedAt = 0
  private heardAt = 0
  private notBefore = 0
  private cancelTimer: () => void = () => undefined
  private moving = false
  private cancelMove: () => void = () => undefined

  constructor(options: LinkOptions) {
    this.options = options
  }

  get state(): ConnectionState {
    return this.current
  }

  /** Dials, unless it is on its way already. */
  start(): void {
    if (this.current.status !== "idle") return
    this.attempt = 0
    this.dial()
  }

  /** Dials now, whatever it was waiting for. Does nothing on a connection that is up or coming up. */
  retry(): void {
    const { status } = this.current
    if (status === "connected" || status === "connecting" || status === "idle") return
    if (status === "refused") this.attempt = 0
    this.dial()
  }

  /** Gives this connection up for a new one. */
  renew(reason: string): void {
    if (this.current.status !== "connected") return
    this.forgive()
    this.abandon(1000, reason)
    this.wait()
  }

  /**
   * Connects anew in `ms`, beside the connection there is, which ends when the server has welcomed us on the
   * new one. Where it does not, this one is kept.
   */
  move(ms: number): void {
    if (this.current.status !== "connected" || this.moving) return
    const mine = this.generation
    this.moving = true
    this.cancelMove = this.options.clock.after(ms, () => {
      this.options.address().then(
        (url) => mine === this.generation && this.openBeside(url),
        () => mine === this.generation && this.stay()
      )
    })
  }

  stop(): void {
    this.abandon(1000, "")
    this.set({ status: "idle" })
  }

  /** The next try waits at least this long. */
  holdBack(ms: number): void {
    this.notBefore = Math.max(this.notBefore, this.options.clock.now() + ms)
  }

  /** Answers false when there is no connection. */
  send(text: string): boolean {
    if (this.socket === null || this.current.status !== "connected") return false
    this.socket.send(text)
    return true
  }

  private set(state: ConnectionState): void {
    this.current = state
    this.options.onState(state)
  }

  private abandon(code: number, reason: string): void {
    this.cancelTimer()
    this.stay()
    this.generation += 1
    const { socket } = this
    this.socket = null
    socket?.close(code, reason)
  }

  private dial(): void {
    this.cancelTimer()
    this.generation += 1
    const mine = this.generation
    this.set({ status: "connecting", attempt: this.attempt })
    this.options.address().then(
      (url) => mine === this.generation && this.open(url),
      () => mine === this.generation && this.wait()
    )
  }

  private open(url: string): void {
    this.socket = this.listenTo(url)
    // A handshake that nobody answers counts as silence.
    this.cancelTimer = this.options.clock.after(quietMs, () => this.lose("no answer to the handshake"))
  }

  private openBeside(url: string): void {
    this.next = this.listenTo(url)
    this.cancelMove = this.options.clock.after(quietMs, () => this.stay())
  }

  /** A socket counts for what it is when something happens: the one there is, the next one, or neither. */
  private listenTo(url: string): SocketLike {
    const socket = new this.options.WebSocket(url)
    socket.addEventListener("open", () => {
      if (socket === this.socket) this.connected()
      else if (socket !== this.next) socket.close(1000)
    })
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") return
      if (socket === this.next && this.options.isWelcome(data)) this.takeOver(socket)
      if (socket !== this.socket) return
      this.heardAt = this.options.clock.now()
      this.options.onText(data)
    })
    // `close` follows and says more.
    socket.addEventListener("error", () => undefined)
    socket.addEventListener("close", ({ code, reason }) => {
      if (socket === this.next) this.stay()
      if (socket === this.socket) this.ended({ code, reason })
    })
    return socket
  }

  private connected(): void {
    this.openedAt = this.options.clock.now()
    this.heardAt = this.openedAt
    this.cancelTimer()
    this.listenFor(quietMs, false)
    if (this.current.status !== "connected") this.set({ status: "connected" })
    this.options.onOpen()
  }

  private takeOver(socket: SocketLike): void {
    this.next = null
    this.abandon(1000, "moved")
    this.socket = socket
    this.connected()
  }

  /** Calls off a move. */
  private stay(): void {
    this.cancelMove()
    this.moving = false
    const { next } = this
    this.next = null
    next?.close(1000)
  }

  private ended(ending: Ending): void {
    const opened = this.current.status === "connected"
    this.cancelTimer()
    this.stay()
    this.socket = null
    if (opened) this.forgive()
    this.generation += 1
    const mine = this.generation
    // Until it is decided nobody may think that the connection is up.
    this.set({ status: "connecting", attempt: this.attempt })
    this.options.comeBack(ending, opened).then(
      (refusal) => {
        if (mine !== this.generation) return
        if (refusal === null) this.wait()
        else this.set({ status: "refused", ...refusal })
      },
      () => mine === this.generation && this.wait()
    )
  }

  /** After a good connection the next backoff starts small. */
  private forgive(): void {
    if (this.options.clock.now() - this.openedAt >= goodMs) this.attempt = 0
  }

  private wait(): void {
    const { clock, backoff } = this.options
    const drawn = backoffDelay(backoff, this.attempt, clock.random())
    const now = clock.now()
    const delay = Math.max(drawn, this.notBefore - now)
    this.attempt += 1
    this.set({ status: "waiting", attempt: this.attempt, retryAt: now + delay })
    this.cancelTimer = clock.after(delay, () => this.dial())
  }

  /** Wakes when the server has had `ms` to say something: asks first, gives up the second time. */
  private listenFor(ms: number, asked: boolean): void {
    const since = this.options.clock.now()
    this.cancelTimer = this.options.clock.after(ms, () => {
      const quietFor = this.options.clock.now() - this.heardAt
      if (this.heardAt > since || (!asked && quietFor < quietMs)) {
        this.listenFor(Math.max(1, quietMs - quietFor), false)
      } else if (asked) {
        this.lose("the server fell silent")
      } else {
        this.send(this.options.ping)
        this.listenFor(pongMs, true)
      }
    })
  }

  private lose(reason: string): void {
    if (this.socket === null) return
    // Some sockets wait for the peer's close frame for ever: this one is left at once.
    this.abandon(1000, reason)
    this.wait()
  }
}
