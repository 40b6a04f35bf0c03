/**
 * A session's frames, numbered and kept: what every socket reads, live or late, through one code path.
 *
 * Frames count 1, 2, 3 … under one epoch. Text deltas that arrive within one turn of the event loop become
 * one frame when the log is sealed; sealed deltas keep their numbers, and a reader that is behind gets runs
 * of them merged into one frame that says which numbers it covers (`first_seq` … `seq`).
 *
 * Plain synchronous code: a token passes here, and an Effect per token costs several times the frame
 * (docs/architecture.md, "The hot path"). Each frame is serialised once, however many sockets read it.
 */
import type { Address, Frame } from "../protocol/frames.ts"
import type { DeltaKind, StreamBubble } from "../protocol/streaming.ts"

interface FrameEntry {
  readonly kind: "frame"
  readonly seq: number
  readonly json: string
}

/** Consecutive deltas of one kind: `pieces[i]` has number `first + i`. */
interface DeltaEntry {
  readonly kind: DeltaKind
  readonly first: number
  readonly pieces: Array<string>
  readonly bubble: StreamBubble
}

type Entry = FrameEntry | DeltaEntry

const lastOf = (entry: Entry): number =>
  entry.kind === "frame" ? entry.seq : entry.first + entry.pieces.length - 1

const firstOf = (entry: Entry): number => (entry.kind === "frame" ? entry.seq : entry.first)

/** One frame ready to send, and the position a reader has after it. */
export interface Reading {
  readonly json: string
  readonly seq: number
}

/** Text of one merged frame at most, in characters, so that a slow socket's buffer stays small. */
const maxMergedChars = 160 * 1024

/** A reader this many deltas behind, or fewer, gets each as its own frame. */
const mergeBeyond = 64

/**
 * What ended runs may keep for those who come back late. A reader in the middle of them holds on to what it
 * has not read yet, up to `patience` times as much.
 */
export interface Retention {
  readonly maxFrames: number
  readonly maxChars: number
}

const patience = 8

/** Someone who reads along: told when there is more, and asked how far it is. */
export interface LogReader {
  readonly wake: () => void
  readonly position: () => number
}

export const defaultRetention: Retention = { maxFrames: 20_000, maxChars: 1024 * 1024 }

export class FrameLog {
  readonly epoch: string
  readonly address: Address
  private readonly retention: Retention
  private readonly entries: Array<Entry> = []
  private readers: ReadonlyArray<LogReader> = []
  private readonly onDirty: (log: FrameLog) => void
  private pendingKind: DeltaKind = "content"
  private pending = ""
  private pendingBubble: StreamBubble | null = null
  private seq = 0
  private chars = 0
  private frames = 0
  /** Frames from this number on belong to the run in progress, and are what a newcomer gets. */
  private runStart = 1
  private runActive = false
  private lastDelta: Reading | null = null

  constructor(options: {
    readonly epoch: string
    readonly address: Address
    /** Called once when there is something to deliver; the owner calls `flush` later in the same turn. */
    readonly onDirty: (log: FrameLog) => void
    readonly retention?: Retention
  }) {
    this.epoch = options.epoch
    this.address = options.address
    this.onDirty = options.onDirty
    this.retention = options.retention ?? defaultRetention
  }

  get lastSeq(): number {
    return this.seq
  }

  /** Where a socket that knows nothing starts reading: before the run in progress, or at the end. */
  get joinPoint(): number {
    return this.runActive ? this.runStart - 1 : this.seq
  }

  /** Whether everything after `seq` is still kept. */
  has(seq: number): boolean {
    const oldest = this.entries[0]
    return seq <= this.seq && seq >= (oldest === undefined ? this.seq : firstOf(oldest) - 1)
  }

  /** From here on the frames belong to one run; they are kept whole until it ends. */
  beginRun(): void {
    this.seal()
    this.runStart = this.seq + 1
    this.runActive = true
  }

  endRun(): void {
    this.seal()
    this.runActive = false
    this.trim()
  }

  /** Numbers a frame and keeps it; answers it as it was sent. */
  append(unnumbered: Frame): Frame {
    this.seal()
    this.seq += 1
    const numbered: Frame = { ...unnumbered, seq: this.seq }
    const json = JSON.stringify(numbered)
    this.entries.push({ kind: "frame", seq: this.seq, json })
    this.frames += 1
    this.chars += json.length
    this.onDirty(this)
    return numbered
  }

  /** Adds streaming text. Neighbours of one kind and bubble within a turn of the event loop become one frame. */
  delta(kind: DeltaKind, text: string, bubble: StreamBubble): void {
    if (text === "") return
    if (this.pending !== "" && (this.pendingKind !== kind || this.pendingBubble !== bubble)) this.seal()
    if (this.pending === "") {
      this.pendingKind = kind
      this.pendingBubble = bubble
      this.onDirty(this)
    }
    this.pending += text
  }

  /** Gives the pending text its number. */
  private seal(): void {
    const bubble = this.pendingBubble
    if (this.pending === "" || bubble === null) return
    const text = this.pending
    this.pending = ""
    this.seq += 1
    this.frames += 1
    this.chars += text.length
    const last = this.entries[this.entries.length - 1]
    if (
      last !== undefined &&
      last.kind === this.pendingKind &&
      last.bubble === bubble &&
      this.seq > this.runStart
    ) {
      last.pieces.push(text)
    } else {
      this.entries.push({
        kind: this.pendingKind,
        first: this.seq,
        pieces: [text],
        bubble
      })
    }
  }

  /** Seals what is pending and tells every reader that there may be more to read. */
  flush(): void {
    this.seal()
    for (const reader of this.readers) reader.wake()
    if (!this.runActive) this.trim()
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

  /** The next frame after `seq`, or null at the end. */
  next(seq: number): Reading | null {
    if (seq >= this.seq) return null
    const entry = this.entries[this.indexAfter(seq)]
    if (entry === undefined) return null
    if (entry.kind === "frame") return { json: entry.json, seq: entry.seq }
    const from = Math.max(seq + 1, entry.first)
    const behind = lastOf(entry) - from + 1
    if (behind <= mergeBeyond) return this.single(entry, from)
    return this.merged(entry, from)
  }

  private single(entry: DeltaEntry, seq: number): Reading {
    if (this.lastDelta !== null && this.lastDelta.seq === seq) return this.lastDelta
    const text = entry.pieces[seq - entry.first] ?? ""
    const reading = { json: this.encodeDelta(entry, text, seq, seq), seq }
    this.lastDelta = reading
    return reading
  }

  private merged(entry: DeltaEntry, from: number): Reading {
    const parts: Array<string> = []
    let chars = 0
    let seq = from - 1
    for (let i = from - entry.first; i < entry.pieces.length; i++) {
      const piece = entry.pieces[i] ?? ""
      if (chars > 0 && chars + piece.length > maxMergedChars) break
      parts.push(piece)
      chars += piece.length
      seq += 1
    }
    return { json: this.encodeDelta(entry, parts.join(""), from, seq), seq }
  }

  private encodeDelta(entry: DeltaEntry, text: string, first: number, seq: number): string {
    const [head, tail] = entry.bubble[entry.kind]
    const cover = first === seq ? "" : `,"first_seq":${first}`
    return `${head}${JSON.stringify(text)}${tail}${cover},"seq":${seq}}`
  }

  /** Index of the first entry that reaches beyond `seq`. */
  private indexAfter(seq: number): number {
    let low = 0
    let high = this.entries.length - 1
    // A live reader wants the last entry: look there first.
    const last = this.entries[high]
    if (last !== undefined && firstOf(last) <= seq + 1) return high
    while (low < high) {
      const middle = (low + high) >> 1
      const entry = this.entries[middle]
      if (entry !== undefined && lastOf(entry) > seq) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Drops the oldest frames of ended runs beyond the retention. */
  private trim(): void {
    if (!this.isOver(1)) return
    let readUpTo = this.seq
    for (const reader of this.readers) readUpTo = Math.min(readUpTo, reader.position())
    let drop = 0
    for (const entry of this.entries) {
      if (!this.isOver(lastOf(entry) > readUpTo ? patience : 1)) break
      if (entry.kind === "frame") {
        this.frames -= 1
        this.chars -= entry.json.length
      } else {
        this.frames -= entry.pieces.length
        for (const piece of entry.pieces) this.chars -= piece.length
      }
      drop += 1
    }
    if (drop > 0) this.entries.splice(0, drop)
  }

  private isOver(times: number): boolean {
    return this.frames > this.retention.maxFrames * times || this.chars > this.retention.maxChars * times
  }
}
