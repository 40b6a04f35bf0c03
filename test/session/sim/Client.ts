/**
 * A client of one session, as the SDK is one: it comes back to any node and resumes where it was, says again
 * what was not acknowledged, and replies to what it is asked.
 */
import * as Predicate from "effect/Predicate"
import type { Ask, Reply, ResumePoint } from "../../../src/protocol/payloads.ts"
import type { ClientHistory, Entry, SeenFrame } from "./history.ts"
import type { Place, Said, Socket, Told } from "./Socket.ts"
import type { World } from "./VirtualTime.ts"

export interface ClientOptions {
  readonly world: World
  readonly name: string
  readonly chatId: string
  /** A connection to some node; null: it was refused. */
  readonly connect: (resume: ResumePoint | null) => Socket | null
  /** The runs of the chat that have ended in the database. */
  readonly endedRuns: () => ReadonlySet<string>
  /** What to say to what is asked; null: nothing. */
  readonly replyTo: () => { readonly body: string; readonly after: number } | null
}

/** Milliseconds of silence after which a connection is given up. */
const patience = 6000

export class Client {
  readonly options: ClientOptions
  private readonly entries: Array<Entry> = []
  private socket: Socket | null = null
  private following = false
  private position: { readonly epoch: string; readonly lastSeq: number } | null = null
  private readonly unacknowledged = new Map<string, Ask | Reply>()
  /** The runs that replies were for. */
  private readonly repliedTo = new Map<string, string>()
  private readonly prompted = new Set<number>()
  /** Runs that it knows to be over. */
  private over = new Set<string>()
  private replies = 0
  private hasLeft = false

  constructor(options: ClientOptions) {
    this.options = options
  }

  get history(): ClientHistory {
    const { name, chatId } = this.options
    return { name, chatId, entries: this.entries, isPresent: !this.hasLeft }
  }

  get isAcknowledged(): boolean {
    return this.unacknowledged.size === 0
  }

  /** Whether it has seen the end of this run, or history shows it. */
  knowsEndOf(runId: string): boolean {
    return this.over.has(runId)
  }

  get hasGone(): boolean {
    return this.hasLeft
  }

  /** Where it is in the log; null: it is not connected. */
  get place(): ResumePoint | null {
    return this.following ? this.position : null
  }

  /** The connection, for the one who breaks it. */
  get connection(): Socket | null {
    return this.socket
  }

  ask(ask: Ask): void {
    if (ask.clientMsgId !== null) this.unacknowledged.set(ask.clientMsgId, ask)
    this.say(ask)
  }

  say(said: Said): void {
    if (!this.following) return
    this.note(() => `says ${JSON.stringify(said)}`)
    this.socket?.say(said)
  }

  dial(): void {
    const { world, connect } = this.options
    if (this.hasLeft || this.socket !== null) return
    const socket = connect(this.position)
    if (socket === null) {
      world.after(world.between(20, 1000), () => this.dial())
      return
    }
    this.note(() => `dials ${socket.domain.name} ${JSON.stringify(this.position)}`)
    this.socket = socket
    socket.onTold = (told) => {
      if (this.socket === socket) this.hear(told)
    }
    socket.onClientClosed = () => {
      if (this.socket === socket) this.lose()
    }
    this.listenFor(socket)
  }

  /** Goes for ever. */
  leave(): void {
    this.hasLeft = true
    this.unacknowledged.clear()
    this.socket?.cut()
  }

  /** A process that stands still answers no ping. */
  private listenFor(socket: Socket): void {
    const { world } = this.options
    world.after(patience, () => {
      if (this.socket !== socket) return
      if (socket.domain.isPaused) socket.cut()
      else this.listenFor(socket)
    })
  }

  private lose(): void {
    const { world } = this.options
    this.note(() => "lost its connection")
    this.socket = null
    this.following = false
    this.entries.push({ _tag: "Lost" })
    world.after(world.between(0, 300), () => this.dial())
  }

  private hear(told: Told): void {
    this.note(() => sketch(told))
    switch (told._tag) {
      case "Place":
        this.opened(told.place)
        break
      case "Frame":
        this.read(JSON.parse(told.json))
        break
      case "Begin":
        this.acknowledged(idIn(JSON.parse(told.json)))
        break
      case "Queued":
      case "Repeated":
        this.acknowledged(told.clientMsgId)
        break
      case "Refused":
        this.refused(told.clientMsgId, told.error)
        break
      case "Direct":
        this.look(JSON.parse(told.json))
        break
    }
  }

  private opened(place: Place): void {
    const recovered = place.recovered && this.position !== null
    const ended = this.options.endedRuns()
    this.entries.push({ _tag: "Opened", place, before: this.position, ended })
    if (!recovered) this.over = new Set(ended)
    this.position = { epoch: place.epoch, lastSeq: place.lastSeq }
    this.following = true
    if (!recovered && place.status === "waiting") this.say({ _tag: "CheckStatus" })
    for (const said of this.unacknowledged.values()) this.say(said)
  }

  private read(frame: SeenFrame): void {
    this.entries.push({ _tag: "Frame", frame })
    if (frame.type === "close" && frame.run_id !== undefined) this.close(frame.run_id)
    if (this.position !== null) this.position = { ...this.position, lastSeq: frame.seq }
    this.acknowledged(idIn(frame))
    this.look(frame)
  }

  /** A run that is over takes no reply any more. */
  private close(runId: string): void {
    this.over.add(runId)
    for (const [clientMsgId, run] of this.repliedTo) {
      if (run === runId) this.unacknowledged.delete(clientMsgId)
    }
  }

  /** Replies to what it is asked, once. */
  private look(frame: Omit<SeenFrame, "seq">): void {
    const { receiver, message_id, run_id } = frame
    if (!Predicate.isRecord(receiver) || receiver["is_self"] !== true || message_id === null) return
    if (this.prompted.has(message_id)) return
    this.prompted.add(message_id)
    const { world, name, replyTo } = this.options
    const reply = replyTo()
    if (reply === null) return
    this.replies += 1
    const clientMsgId = `${name}-r${this.replies}`
    world.after(reply.after, () => {
      if (this.hasLeft) return
      const said: Reply = { _tag: "Reply", action: "continue", body: reply.body, clientMsgId }
      if (run_id !== undefined && this.over.has(run_id)) return
      if (run_id !== undefined) this.repliedTo.set(clientMsgId, run_id)
      this.unacknowledged.set(clientMsgId, said)
      this.say(said)
    })
  }

  private acknowledged(id: string | null): void {
    if (id === null || !this.unacknowledged.delete(id)) return
    this.entries.push({ _tag: "Acknowledged", clientMsgId: id })
  }

  /** After the other errors the node closes the socket, and it is said again on the next one. */
  private refused(id: string | null, error: string): void {
    if (id !== null && ["SessionBusy", "QueueFull", "InvalidInput", "NotYours"].includes(error)) {
      this.unacknowledged.delete(id)
    }
  }

  private note(what: () => string): void {
    this.options.world.note(this.options.name, what)
  }
}

const idIn = ({ question }: Pick<SeenFrame, "question">): string | null => question?.client_msg_id ?? null

/** A line for people. */
const sketch = (told: Told): string => {
  if (told._tag !== "Frame") return JSON.stringify(told)
  const { first_seq, seq, type, category, message, run_id, question, message_id }: SeenFrame = JSON.parse(
    told.json
  )
  const place = first_seq === undefined ? seq : `${first_seq}–${seq}`
  const said = [message === "" ? "" : JSON.stringify(message), question?.client_msg_id, message_id ?? ""]
  return `${place} ${type}/${category} ${run_id?.slice(0, 8)} ${said.join(" ")}`
}
