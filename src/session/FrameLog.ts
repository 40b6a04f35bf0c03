/**
 * A session's frames, numbered and kept: what every socket of this node reads, live or late, through one code
 * path. Where several nodes share the session, the one that runs it writes here and every other has a copy.
 *
 * Frames count 1, 2, 3 … under one epoch. Text deltas that arrive within one turn of the event loop become
 * one frame when the log is sealed; sealed deltas keep their numbers, and a reader that is behind gets runs
 * of them merged into one frame that says which numbers it covers (`first_seq` … `seq`).
 *
 * Plain synchronous code: a token passes here, and an Effect per token costs several times the frame
 * (docs/architecture.md, "The hot path"). Each frame is serialised once in each form, however many sockets read it.
 */
import type { Address, Frame } from "../protocol/frames.ts"
import type { DeltaKind, StreamBubble } from "../protocol/streaming.ts"
import { BatchReader, BatchWriter, type Line, type Standing } from "./batch.ts"
import { DeltaFrames, type Reading, writeShort, writeWhole } from "./deltas.ts"
import { KeptFrames, type Retention } from "./KeptFrames.ts"
import { PendingText } from "./PendingText.ts"
import type { Ref } from "./Ref.ts"

/** Someone who reads along: told when there is more, and asked how far it is. */
export interface LogReader {
  readonly wake: () => void
  readonly position: () => number
  /**
   * The log is another one from here on, to be read after `position`: frames may have been missed, the end of `untold`
   * among them, the run that was in progress.
   */
  readonly replaced: (position: number, untold: string | null) => void
  /** A frame that has no number and is not kept: for whoever is there. */
  readonly notice?: (json: string) => void
}

/** Takes what is written before anyone here may read it, and confirms it when it is safe with the other nodes. */
export interface Outlet {
  readonly push: () => void
}

/** What a batch for other nodes holds at most, in characters. */
const maxBatchChars = 512 * 1024

const idle: Standing = { status: "idle", runId: null, owner: "", runStart: 1 }

export class FrameLog {
  readonly address: Address
  private readonly kept: KeptFrames
  private readers: ReadonlyArray<LogReader> = []
  private readonly onDirty: (log: FrameLog, isMoreText: boolean) => void
  private readonly pending = new PendingText()
  private currentEpoch: string
  private seq = 0
  /** It was made what another node has, or nothing: an empty log is not one of which nothing is known. */
  private wasReplaced = false
  /** Frames up to this number are safe with the other nodes, where there are any. */
  private confirmed = 0
  /** Frames from `runStart` on belong to the run in progress, and are what a newcomer gets. */
  private now: Standing = idle
  private readonly whole = new DeltaFrames(writeWhole)
  /** Made for the first reader of short frames. */
  private short: DeltaFrames | null = null
  private outlet: Outlet | null = null
  private readonly writer = new BatchWriter()
  private reader = new BatchReader()

  constructor(options: {
    readonly epoch: string
    readonly address: Address
    /**
     * Called once when there is something to deliver; the owner calls `flush` later in the same turn, or, where it is
     * only more of the text that came last, when a window is over.
     */
    readonly onDirty: (log: FrameLog, isMoreText: boolean) => void
    readonly retention: Retention
  }) {
    this.currentEpoch = options.epoch
    this.address = options.address
    this.onDirty = options.onDirty
    this.kept = new KeptFrames(options.retention)
  }

  get epoch(): string {
    return this.currentEpoch
  }

  /** Number of the last frame that may be read. */
  get lastSeq(): number {
    return this.visible
  }

  /** Number of the last frame that was written; the same where no other node has to know first. */
  get written(): number {
    return this.seq
  }

  get standing(): Standing {
    return this.now
  }

  /** Frames up to this number may be read. */
  private get visible(): number {
    return this.outlet === null ? this.seq : this.confirmed
  }

  private get runActive(): boolean {
    return this.now.status === "running"
  }

  /** Where a socket that knows nothing starts reading: before the run in progress, or at the end. */
  get joinPoint(): number {
    return this.runActive ? this.now.runStart - 1 : this.visible
  }

  /** Whether everything after `seq` is still kept. */
  has(seq: number): boolean {
    return seq === this.seq || (seq < this.seq && this.kept.follows(seq))
  }

  /** From here on the frames belong to one run; they are kept whole until it ends. */
  beginRun(runId: string, owner: string): void {
    this.seal()
    this.writer.forget()
    this.now = { status: "running", runId, owner, runStart: this.seq + 1 }
  }

  /** The run has ended. */
  endRun(): void {
    this.rest(idle)
  }

  /** The run waits for a person: no node runs it. */
  parkRun(runId: string): void {
    this.rest({ ...idle, status: "waiting", runId })
  }

  private rest(standing: Standing): void {
    this.seal()
    this.now = { ...standing, runStart: this.seq + 1 }
    this.trim()
    this.onDirty(this, false)
  }

  /** Numbers a frame and keeps it; answers it as it was sent. */
  append(unnumbered: Frame): Frame {
    this.seal()
    this.seq += 1
    const numbered: Frame = { ...unnumbered, seq: this.seq }
    this.kept.addFrame(this.seq, JSON.stringify(numbered))
    this.onDirty(this, false)
    return numbered
  }

  /** Adds streaming text. Neighbours of one kind and bubble between two flushes become one frame. */
  delta(kind: DeltaKind, text: string, bubble: StreamBubble): void {
    const { pending } = this
    if (text === "") return
    if (!pending.joins(kind, bubble)) this.seal()
    if (pending.isEmpty) {
      // To other nodes the text of many sessions goes together, and is worth waiting for by itself.
      const pays = this.outlet !== null || pending.pays
      const waits = pays && this.kept.endsWith(kind, bubble)
      pending.begin(kind, bubble, waits)
      this.onDirty(this, waits)
    }
    pending.add(text)
  }

  /** Gives the pending text its number, or several where it is too long for one frame. */
  private seal(): void {
    const { pending } = this
    const { kind, bubble } = pending
    if (pending.isEmpty || bubble === null) return
    for (const text of pending.take()) {
      this.seq += 1
      this.kept.addDelta(this.seq, kind, text, bubble, this.seq > this.now.runStart)
    }
  }

  /** Seals what is pending and lets it be read, here or by whoever has to know first. */
  flush(): void {
    this.seal()
    if (this.outlet === null) this.wakeAll()
    else this.outlet.push()
  }

  private wakeAll(): void {
    for (const reader of this.readers) reader.wake()
    if (!this.runActive) this.trim()
  }

  /** From here on what is written is read by nobody before the outlet confirms it; null: at once again. */
  share(outlet: Outlet | null): void {
    this.confirmed = this.seq
    this.outlet = outlet
    this.writer.forget()
  }

  /** What was written after `seq` and how things stand, for other nodes; `last` is the number of its last frame. */
  batchAfter(seq: number): { readonly text: string; readonly last: number } {
    const lines: Array<Line> = []
    let last = seq
    let chars = 0
    for (const entry of this.kept.after(seq)) {
      if (chars >= maxBatchChars) break
      if (entry.kind === "frame") {
        lines.push({ kind: "frame", json: entry.json })
        chars += entry.json.length
        last = entry.seq
        continue
      }
      for (const text of entry.pieces.slice(last + 1 - entry.first)) {
        lines.push({ kind: entry.kind, text, bubble: entry.bubble })
        chars += text.length
        last += 1
      }
    }
    return { text: this.writer.write({ epoch: this.epoch, first: seq + 1, ...this.now }, lines), last }
  }

  /** Frames up to `seq` are safe: they may be read. */
  confirm(seq: number): void {
    this.confirmed = Math.max(this.confirmed, Math.min(seq, this.seq))
    this.wakeAll()
  }

  /** Other nodes know none of the bubbles any more. */
  redefine(): void {
    this.writer.forget()
  }

  /**
   * Takes back what nobody was allowed to read yet: it was written by one who had no right to. `told` is how things
   * stood at the last frame that may be read.
   */
  rewind(told: Standing): void {
    this.now = told
    this.pending.drop()
    this.forgetDeltas()
    this.kept.forgetAfter(this.visible)
    this.seq = this.visible
    // What was written here may name bubbles that were never read: to be read again, with all that is kept.
    this.reader = new BatchReader()
  }

  /** Whether nothing was ever written here. */
  get isUntouched(): boolean {
    return this.seq === 0 && this.now === idle
  }

  /** Adds what another node wrote. "hole": something before it is missing; "other": it belongs to another epoch. */
  ingest(batch: string): "taken" | "hole" | "other" {
    const head = this.reader.head(batch)
    if (head.epoch !== this.epoch) return "other"
    if (head.first > this.seq + 1) return "hole"
    const known = this.seq - head.first + 1
    const lines = this.reader.lines(batch, known)
    if (lines === null) return "hole"
    for (const line of lines) {
      this.seq += 1
      const { seq } = this
      if (line.kind === "frame") this.kept.addFrame(seq, line.json)
      else this.kept.addDelta(seq, line.kind, line.text, line.bubble, seq > head.runStart)
    }
    // A batch of old frames alone says how things stood then.
    if (lines.length > 0 || this.reader.lastOf(batch) === this.seq) {
      const { status, runId, owner, runStart } = head
      this.now = { status, runId, owner, runStart }
    }
    this.wakeAll()
    return "taken"
  }

  /** The log is this one from here on: of `epoch`, with what is kept of it, up to `seq`. */
  replace(epoch: string, seq: number, batches: ReadonlyArray<string>): void {
    const isSame = epoch === this.currentEpoch
    const wasKnown = this.wasReplaced || !this.isUntouched
    const before = this.now
    this.wasReplaced = true
    this.kept.forgetAll()
    this.pending.drop()
    this.forgetDeltas()
    this.currentEpoch = epoch
    this.now = idle
    this.reader = new BatchReader()
    const [first] = batches
    this.seq = first === undefined ? seq : this.reader.head(first).first - 1
    const readers = this.readers
    this.readers = []
    for (const batch of batches) {
      if (this.ingest(batch) !== "taken") this.skipTo(this.reader.lastOf(batch))
    }
    if (this.seq < seq) this.skipTo(seq)
    this.readers = readers
    // Who was there when this epoch began has read nothing of it. Who came before anything was known here is a newcomer.
    const start = !isSame && wasKnown && this.has(0) ? 0 : this.joinPoint
    for (const reader of readers) {
      // What this one has read is as it was: it reads on.
      if (isSame && reader.position() <= this.seq && this.has(reader.position())) reader.wake()
      else reader.replaced(start, this.isUntold(before, start) ? before.runId : null)
    }
  }

  /** Whether a run was in progress that is not told after `seq`, to its end or so far. Should it be told later, it begins again. */
  private isUntold({ status, runId }: Standing, seq: number): boolean {
    if (status !== "running" || runId === null) return false
    return !(this.now.runId === runId || this.kept.tellsEndOf(runId, seq))
  }

  /** The same frames under another epoch, from the run in progress on. */
  rename(epoch: string): void {
    this.currentEpoch = epoch
    for (const reader of this.readers) reader.replaced(this.joinPoint, null)
  }

  /** What came before is not kept whole: it cannot be read any more. */
  private skipTo(seq: number): void {
    this.kept.forgetAll()
    this.seq = seq
  }

  /** What the run in progress has streamed and not yet said whole: see `KeptFrames.unsettled`. */
  unsettled(isSettled: (frame: string) => boolean): Readonly<Record<DeltaKind, string>> | null {
    return this.kept.unsettled(this.now.runStart, isSettled)
  }

  /** Says something to all readers, between frames. */
  notice(json: string): void {
    for (const reader of this.readers) reader.notice?.(json)
  }

  subscribe(reader: LogReader): () => void {
    this.readers = [...this.readers, reader]
    return () => {
      this.readers = this.readers.filter((other) => other !== reader)
    }
  }

  get readerCount(): number {
    return this.readers.length
  }

  /** Whether the `close` of this run is kept. */
  tellsEndOf(runId: string): boolean {
    return this.kept.tellsEndOf(runId)
  }

  /** The next frame after `seq`, or null at the end. For a reader with a `ref`, text comes short where it can. */
  next(seq: number, ref: Ref | null = null): Reading | null {
    if (seq >= this.visible) return null
    const entry = this.kept.next(seq)
    if (entry === undefined) return null
    if (entry.kind === "frame") return { json: entry.json, seq: entry.seq }
    if (ref === null) return this.whole.after(seq, entry, this.visible)
    if (!ref.standsFor(entry.bubble[entry.kind])) return ref.given(this.whole.after(seq, entry, this.visible))
    this.short ??= new DeltaFrames(writeShort)
    return ref.named(this.short.after(seq, entry, this.visible))
  }

  private forgetDeltas(): void {
    this.whole.forget()
    this.short?.forget()
  }

  /** Drops the oldest frames of ended runs beyond the retention. */
  private trim(): void {
    this.kept.trim(this.visible, () =>
      this.readers.reduce((least, reader) => Math.min(least, reader.position()), this.visible)
    )
  }
}
