/**
 * One socket's way out. Each session that the socket follows is a reader with its own position in that
 * session's log; the outbox moves readers forward as far as the socket takes bytes. What a socket has not
 * taken stays in the log, once for all sockets: a slow one costs its buffer and nothing else.
 *
 * Plain callbacks: this runs per frame and socket.
 */
import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import { maxMergedBytes } from "../session/deltas.ts"
import type { FrameLog, LogReader } from "../session/FrameLog.ts"
import { Ref } from "../session/Ref.ts"
import { textFrame } from "./textFrame.ts"

/** What comes before the frames of another log in its place, and what is said without a place in it. */
export type Besides = Required<Pick<LogReader, "replaced" | "notice">>

/** The socket that it is the way out of. */
export interface OutboxOwner {
  /** A reader's place is no longer kept: the socket can only come back and resume. */
  readonly lost: () => void
  /** Nothing more is written until the peer has read. */
  readonly slow: () => void
}

/** A class, because every idle socket keeps one: methods are shared, closures are not. */
class Reader implements LogReader {
  readonly log: FrameLog
  /** Everything up to here was written to the socket. */
  at: number
  /** Names its text where the socket takes short frames. */
  readonly ref: Ref | null
  private readonly outbox: Outbox
  private readonly besides: Besides

  constructor(outbox: Outbox, log: FrameLog, at: number, besides: Besides, ref: Ref | null) {
    this.outbox = outbox
    this.log = log
    this.at = at
    this.besides = besides
    this.ref = ref
  }

  wake(): void {
    this.outbox.advance(this)
  }

  position(): number {
    return this.at
  }

  replaced(position: number, untold: string | null): void {
    this.at = position
    this.besides.replaced(position, untold)
    this.outbox.advance(this)
  }

  notice(json: string): void {
    this.besides.notice(json)
  }
}

/** Those that have something to say in this turn: one call for all costs less than one for each. */
let leaving: Array<Outbox> = []

const leaveLater = (outbox: Outbox): void => {
  leaving.push(outbox)
  if (leaving.length === 1) process.nextTick(leaveAll)
}

const leaveAll = (): void => {
  const all = leaving
  leaving = []
  for (const outbox of all) outbox.leave()
}

export class Outbox {
  private readonly ws: WebSocket
  private readonly socket: Socket
  private readonly highWater: number
  private readonly brief: boolean
  private readonly owner: OutboxOwner
  private readers: ReadonlyArray<Reader> = []
  /** Frames that leave at the end of this turn, as bytes. */
  private turn = ""
  private blocked = false
  private lost = false
  private bytesAtStall = 0

  constructor(options: {
    readonly ws: WebSocket
    readonly socket: Socket
    /** Bytes that may wait to be written, the merged frame that goes beyond the mark included. */
    readonly buffer: number
    /** Whether text goes in short frames. */
    readonly brief: boolean
    readonly owner: OutboxOwner
  }) {
    this.ws = options.ws
    this.socket = options.socket
    this.highWater = Math.max(options.buffer - maxMergedBytes, options.buffer / 4)
    this.brief = options.brief
    this.owner = options.owner
  }

  /** Follows a log from a position until the returned function is called. */
  follow(log: FrameLog, position: number, besides: Besides): () => void {
    const ref = this.brief ? new Ref(this.freeNumber()) : null
    const reader = new Reader(this, log, position, besides, ref)
    this.readers = [...this.readers, reader]
    const unsubscribe = log.subscribe(reader)
    this.advance(reader)
    return () => {
      unsubscribe()
      this.readers = this.readers.filter((other) => other !== reader)
    }
  }

  /** The least that no other session here has: it stands in every short frame. */
  private freeNumber(): number {
    let number = 1
    while (this.readers.some(({ ref }) => ref?.number === number)) number += 1
    return number
  }

  /** Sends a frame that belongs to this socket alone. */
  send(json: string): void {
    if (this.ws.readyState !== this.ws.OPEN) return
    this.write(json)
    this.block()
  }

  /** Writes what its logs have for this turn, before the socket is closed. */
  flush(): void {
    for (const reader of this.readers) reader.log.flush()
    this.leave()
  }

  /** Called by its readers. */
  advance(reader: Reader): void {
    if (this.blocked || this.lost || this.ws.readyState !== this.ws.OPEN) return
    if (!reader.log.has(reader.at)) {
      this.lost = true
      this.owner.lost()
      return
    }
    for (;;) {
      const next = reader.log.next(reader.at, reader.ref)
      if (next === null) return
      this.write(next.json, next.bytes)
      reader.at = next.seq
      if (this.block()) return
    }
  }

  /** Writes of one turn of the event loop leave as one. */
  private write(json: string, bytes?: number): void {
    if (this.turn === "") leaveLater(this)
    this.turn += textFrame(json, bytes)
  }

  /** What was written in this turn goes to the socket. */
  leave(): void {
    const bytes = this.turn
    if (bytes === "") return
    this.turn = ""
    if (this.ws.readyState === this.ws.OPEN) this.socket.write(bytes, "latin1")
  }

  /** Bytes that the socket has not taken. */
  private get waiting(): number {
    return this.socket.writableLength + this.turn.length
  }

  /** Over the high-water mark nothing more is written until the socket has drained. */
  private block(): boolean {
    if (this.blocked) return true
    if (this.waiting <= this.highWater) return false
    // Only what the socket knows of can drain.
    this.leave()
    if (this.socket.writableLength <= this.highWater) return false
    this.blocked = true
    this.bytesAtStall = this.taken()
    this.socket.once("drain", this.resume)
    this.owner.slow()
    return true
  }

  private readonly resume = (): void => {
    this.blocked = false
    for (const reader of this.readers) this.advance(reader)
  }

  get isBlocked(): boolean {
    return this.blocked
  }

  /** Whether the peer has taken nothing at all since this was last asked. */
  isStalled(): boolean {
    if (!this.blocked) return false
    const taken = this.taken()
    const stalled = taken === this.bytesAtStall
    this.bytesAtStall = taken
    return stalled
  }

  private taken(): number {
    return this.socket.bytesWritten - this.socket.writableLength
  }
}
