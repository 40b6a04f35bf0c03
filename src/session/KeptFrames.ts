/**
 * The frames of a log that are kept, in their order. Text of one bubble is one entry, however many frames it came in.
 *
 * Plain code: a token passes here.
 */
import type { DeltaKind, StreamBubble } from "../protocol/streaming.ts"
import { type DeltaEntry, lastDeltaOf } from "./deltas.ts"

interface FrameEntry {
  readonly kind: "frame"
  readonly seq: number
  readonly json: string
}

export type Entry = FrameEntry | DeltaEntry

export const lastOf = (entry: Entry): number => (entry.kind === "frame" ? entry.seq : lastDeltaOf(entry))

const firstOf = (entry: Entry): number => (entry.kind === "frame" ? entry.seq : entry.first)

/** What ended runs may keep for those who come back late. */
export interface Retention {
  readonly maxFrames: number
  readonly maxChars: number
}

/** What nobody has read yet, in the middle of them, may be up to so many times as much. */
const patience = 8

export class KeptFrames {
  private readonly retention: Retention
  private readonly entries: Array<Entry> = []
  private chars = 0
  private frames = 0

  constructor(retention: Retention) {
    this.retention = retention
  }

  addFrame(seq: number, json: string): void {
    this.entries.push({ kind: "frame", seq, json })
    this.frames += 1
    this.chars += json.length
  }

  /** The delta numbered `seq`, beside its neighbours of the same bubble. */
  addDelta(seq: number, kind: DeltaKind, text: string, bubble: StreamBubble, mayJoin: boolean): void {
    this.frames += 1
    this.chars += text.length
    const last = this.entries[this.entries.length - 1]
    if (mayJoin && last !== undefined && last.kind === kind && last.bubble === bubble) {
      last.pieces.push(text)
    } else {
      this.entries.push({ kind, first: seq, pieces: [text], bubble })
    }
  }

  /** Whether the last frame is of this text. */
  endsWith(kind: DeltaKind, bubble: StreamBubble): boolean {
    const last = this.entries[this.entries.length - 1]
    return last !== undefined && last.kind === kind && last.bubble === bubble
  }

  /** Whether the frame after `seq`, which was written, is here. */
  follows(seq: number): boolean {
    const { entries } = this
    // Whoever keeps up is about to read the last entry: what is not read for every token need not be looked at.
    const last = entries[entries.length - 1]
    if (last === undefined) return false
    return firstOf(last) <= seq + 1 || (entries[0] !== undefined && firstOf(entries[0]) <= seq + 1)
  }

  /** The entry that holds the next frame after `seq`. */
  next(seq: number): Entry | undefined {
    return this.entries[this.indexAfter(seq)]
  }

  /** The entries that reach beyond `seq`. */
  after(seq: number): ReadonlyArray<Entry> {
    const found = this.entries.slice(this.indexAfter(seq))
    return found[0] !== undefined && lastOf(found[0]) <= seq ? [] : found
  }

  /**
   * What was streamed from the frame `from` on and not yet said whole, or null where it streams in several bubbles.
   * For whoever ends a run in place of its owner; `isSettled` knows the frames that said text whole.
   */
  unsettled(from: number, isSettled: (frame: string) => boolean): Readonly<Record<DeltaKind, string>> | null {
    const text = { content: "", reasoning_content: "" }
    let bubble: StreamBubble | null = null
    for (const entry of this.entries) {
      if (lastOf(entry) < from) continue
      if (entry.kind === "frame") {
        if (!isSettled(entry.json)) continue
        text.content = ""
        text.reasoning_content = ""
      } else {
        if (bubble !== null && bubble !== entry.bubble) return null
        bubble = entry.bubble
        text[entry.kind] += entry.pieces.join("")
      }
    }
    return text
  }

  /** Whether the `close` of this run is among them, after `seq`. */
  tellsEndOf(runId: string, seq = 0): boolean {
    const run = `"run_id":"${runId}"`
    return this.entries.some(
      (entry) =>
        entry.kind === "frame" &&
        entry.seq > seq &&
        entry.json.includes('"type":"close"') &&
        entry.json.includes(run)
    )
  }

  forgetAll(): void {
    this.entries.length = 0
    this.frames = 0
    this.chars = 0
  }

  /** Takes back what is numbered after `seq`. */
  forgetAfter(seq: number): void {
    for (let last = this.entries.at(-1); last !== undefined && lastOf(last) > seq; ) {
      if (last.kind !== "frame" && last.first <= seq) {
        const gone = last.pieces.splice(seq - last.first + 1)
        this.frames -= gone.length
        for (const piece of gone) this.chars -= piece.length
        return
      }
      this.entries.pop()
      this.uncount(last)
      last = this.entries.at(-1)
    }
  }

  /** Drops the oldest beyond the retention, of those up to `visible`; readers have read up to `readUpTo`. */
  trim(visible: number, readUpTo: () => number): void {
    if (!this.isOver(1)) return
    const read = readUpTo()
    let drop = 0
    for (const entry of this.entries) {
      if (lastOf(entry) > visible) break
      if (!this.isOver(lastOf(entry) > read ? patience : 1)) break
      this.uncount(entry)
      drop += 1
    }
    if (drop > 0) this.entries.splice(0, drop)
  }

  private uncount(entry: Entry): void {
    if (entry.kind === "frame") {
      this.frames -= 1
      this.chars -= entry.json.length
    } else {
      this.frames -= entry.pieces.length
      for (const piece of entry.pieces) this.chars -= piece.length
    }
  }

  private isOver(times: number): boolean {
    return this.frames > this.retention.maxFrames * times || this.chars > this.retention.maxChars * times
  }

  /** Index of the first entry that reaches beyond `seq`; of the last one where none does. */
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
}
