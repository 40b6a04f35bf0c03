/**
 * One event stream's way out: a session's log as server-sent events, moved forward as fast as the client takes
 * them. What it has not taken stays in the log, once for all who follow.
 *
 * Plain callbacks, as in the gateway's outbox: this runs per frame and stream.
 */
import { Readable } from "node:stream"
import type { ResumePoint } from "../protocol/payloads.ts"
import type { FrameLog } from "../session/FrameLog.ts"

/** The connection below. */
export interface Line {
  /** Bytes that the peer's machine has taken so far. */
  readonly taken: () => number
  readonly cut: () => void
}

export const eventOf = (name: string, data: unknown, id = ""): string =>
  `event: ${name}\n${id === "" ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

export class EventFeed {
  /** What is sent. */
  readonly body: Readable
  /** When its token ends, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
  private readonly log: FrameLog
  private readonly line: Line
  private readonly unsubscribe: () => void
  /** Everything up to here was handed over. */
  private position: number
  /** The client is to be told where it stands, before the next frame. */
  private due: { readonly recovered: boolean } | null
  /** The client takes more. */
  private wanted = false
  private farewell: string | null = null
  private ended = false
  private stalls = 0
  private takenBefore = 0

  /** Goes on from `resume` where that is possible. */
  constructor(
    log: FrameLog,
    line: Line,
    { resume, expiresAt }: { readonly resume: ResumePoint | null; readonly expiresAt: number | null }
  ) {
    const recovered = resume !== null && resume.epoch === log.epoch && log.has(resume.lastSeq)
    this.log = log
    this.line = line
    this.expiresAt = expiresAt
    this.position = recovered ? resume.lastSeq : this.start
    this.due = { recovered }
    this.body = new Readable({
      // At most one event waits here: the next is made when this one is gone.
      highWaterMark: 1,
      read: () => {
        this.wanted = true
        this.advance()
      }
    })
    this.unsubscribe = log.subscribe({
      wake: () => this.advance(),
      position: () => this.position,
      replaced: (position) => {
        this.startAnew(position)
        this.advance()
      }
    })
  }

  /** A sign of life. Where the client does not take what there is, there is no need for one. */
  beat(): void {
    if (this.wanted && !this.ended) this.wanted = this.body.push(": \n\n")
  }

  /** Says these last words next and ends the stream; what was not sent can be resumed elsewhere. */
  end(farewell: string): void {
    this.log.flush()
    this.farewell ??= farewell
    this.advance()
  }

  /** Cuts the line of a client that has taken nothing for `limit` calls in a row. */
  checkStall(limit: number): void {
    const taken = this.line.taken()
    this.stalls = this.wanted || taken !== this.takenBefore ? 0 : this.stalls + 1
    this.takenBefore = taken
    if (this.stalls >= limit) this.line.cut()
  }

  close(): void {
    this.unsubscribe()
    this.body.destroy()
  }

  private advance(): void {
    while (this.wanted && !this.ended) {
      if (this.farewell !== null) {
        this.ended = true
        this.body.push(this.farewell)
        this.body.push(null)
        return
      }
      const event = this.next()
      if (event === null) return
      this.wanted = this.body.push(event)
    }
  }

  private next(): string | null {
    const { log } = this
    // It was so late that its place is not kept any more.
    if (!log.has(this.position)) this.startAnew(this.start)
    if (this.due !== null) {
      const { recovered } = this.due
      this.due = null
      const { status, runId } = log.standing
      const { epoch } = log
      const place = {
        epoch,
        seq: this.position,
        status,
        run_id: status === "running" ? runId : null,
        recovered
      }
      return eventOf("session", place, `${epoch}:${this.position}`)
    }
    const reading = log.next(this.position)
    if (reading === null) return null
    this.position = reading.seq
    return `id: ${log.epoch}:${reading.seq}\ndata: ${reading.json}\n\n`
  }

  private startAnew(position: number): void {
    this.position = position
    this.due = { recovered: false }
  }

  /** Before the run in progress, as far as that is kept. */
  private get start(): number {
    const { log } = this
    return log.has(log.joinPoint) ? log.joinPoint : log.lastSeq
  }
}
