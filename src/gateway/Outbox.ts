/**
 * One socket's way out. Each session that the socket follows is a reader with its own position in that
 * session's log; the outbox moves readers forward as far as the socket takes bytes. What a socket has not
 * taken stays in the log, once for all sockets: a slow one costs its buffer and nothing else.
 *
 * Plain callbacks: this runs per frame and socket.
 */
import type { Socket } from "node:net"
import type { WebSocket } from "ws"
import { type FrameLog, type LogReader, maxMergedBytes } from "../session/FrameLog.ts"

export interface Reader {
  readonly log: FrameLog
  /** Everything up to here was written to the socket. */
  position: number
}

export class Outbox {
  private readonly ws: WebSocket
  private readonly socket: Socket
  private readonly highWater: number
  /** A reader's place is no longer kept: the socket can only come back and resume. */
  private readonly onLost: () => void
  private readers: ReadonlyArray<Reader> = []
  private corked = false
  private blocked = false
  private lost = false
  private bytesAtStall = 0

  constructor(options: {
    readonly ws: WebSocket
    readonly socket: Socket
    /** Bytes that may wait to be written, the merged frame that goes beyond the mark included. */
    readonly buffer: number
    readonly onLost: () => void
  }) {
    this.ws = options.ws
    this.socket = options.socket
    this.highWater = Math.max(options.buffer - maxMergedBytes, options.buffer / 4)
    this.onLost = options.onLost
  }

  /**
   * Follows a log from a position until the returned function is called. `replaced` comes before the frames of
   * another log in its place.
   */
  follow(log: FrameLog, position: number, on: Required<Pick<LogReader, "replaced" | "notice">>): () => void {
    const reader: Reader = { log, position }
    this.readers = [...this.readers, reader]
    const unsubscribe = log.subscribe({
      wake: () => this.advance(reader),
      position: () => reader.position,
      replaced: () => {
        reader.position = log.joinPoint
        on.replaced()
        this.advance(reader)
      },
      notice: on.notice
    })
    this.advance(reader)
    return () => {
      unsubscribe()
      this.readers = this.readers.filter((other) => other !== reader)
    }
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
  }

  private advance(reader: Reader): void {
    if (this.blocked || this.lost || this.ws.readyState !== this.ws.OPEN) return
    if (!reader.log.has(reader.position)) {
      this.lost = true
      this.onLost()
      return
    }
    for (;;) {
      const next = reader.log.next(reader.position)
      if (next === null) return
      this.write(next.json)
      reader.position = next.seq
      if (this.block()) return
    }
  }

  /** Writes of one turn of the event loop leave as one. */
  private write(json: string): void {
    if (!this.corked) {
      this.corked = true
      this.socket.cork()
      process.nextTick(this.uncork)
    }
    this.ws.send(json)
  }

  private readonly uncork = (): void => {
    this.corked = false
    this.socket.uncork()
  }

  /** Over the high-water mark nothing more is written until the socket has drained. */
  private block(): boolean {
    if (this.blocked) return true
    if (this.socket.writableLength <= this.highWater) return false
    this.blocked = true
    this.bytesAtStall = this.taken()
    this.socket.once("drain", this.resume)
    return true
  }

  private readonly resume = (): void => {
    this.blocked = false
    for (const reader of this.readers) this.advance(reader)
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
