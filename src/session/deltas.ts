/**
 * Deltas of a log as frames: which of them leave as one, and how that is written. Each is written once, however many
 * sockets read it in that form.
 *
 * Plain synchronous code: a token passes here.
 */
import type { Around, DeltaKind, StreamBubble } from "../protocol/streaming.ts"

/** Consecutive deltas of one kind: `pieces[i]` has number `first + i`. */
export interface DeltaEntry {
  readonly kind: DeltaKind
  readonly first: number
  readonly pieces: Array<string>
  readonly bubble: StreamBubble
}

export const lastDeltaOf = ({ first, pieces }: DeltaEntry): number => first + pieces.length - 1

/** One frame ready to send, and the position a reader has after it. */
export interface Reading {
  readonly json: string
  readonly seq: number
  /** Length of `json` in UTF-8, where it is known: to count it would copy the text from its parts. */
  readonly bytes?: number
}

/** Text of one merged frame at most, in bytes, so that a slow socket's buffer stays small. */
export const maxMergedBytes = 192 * 1024

/** A reader this many deltas behind, or fewer, gets each as its own frame. */
const mergeBeyond = 64

/** Writes the text of the deltas `first` … `seq`; `size`: of what is around it, in UTF-8. */
type Write = (text: string, first: number, seq: number, around: Around, size: number) => Reading

/** Text that is quoted as it is, a byte a character: most of what is said in English (40 ns; `JSON.stringify` and measuring it take 130). */
const plain = /^[ !#-[\]-~]*$/

export const writeWhole: Write = (text, first, seq, around, size) => {
  const isPlain = plain.test(text)
  const quoted = isPlain ? `"${text}"` : JSON.stringify(text)
  const end = `${first === seq ? "" : `,"first_seq":${first}`},"seq":${seq}}`
  return {
    json: around[0] + quoted + around[1] + end,
    seq,
    bytes: size + (isPlain ? quoted.length : Buffer.byteLength(quoted)) + end.length
  }
}

/** What follows a reader's ref, which each socket has its own of. */
export const writeShort: Write = (text, first, seq) => ({
  json: `${seq},${JSON.stringify(text)}${first === seq ? "" : `,${first}`}]`,
  seq
})

/** The frames of one log's deltas in one form. */
export class DeltaFrames {
  private readonly write: Write
  /** The latest, which all who keep up read. */
  private last: Reading | null = null
  /** What is around the latest text: the same for a whole bubble, so it is measured once. */
  private around: Around | null = null
  private size = 0

  constructor(write: Write) {
    this.write = write
  }

  /** The deltas after `seq`, of which those up to `visible` may be read. */
  after(seq: number, entry: DeltaEntry, visible: number): Reading {
    const from = Math.max(seq + 1, entry.first)
    const behind = Math.min(lastDeltaOf(entry), visible) - from + 1
    return behind <= mergeBeyond ? this.single(entry, from) : this.merged(entry, from, visible)
  }

  /** What has this number may be another one from here on. */
  forget(): void {
    this.last = null
  }

  private single(entry: DeltaEntry, seq: number): Reading {
    if (this.last !== null && this.last.seq === seq) return this.last
    this.last = this.written(entry, entry.pieces[seq - entry.first] ?? "", seq, seq)
    return this.last
  }

  private merged(entry: DeltaEntry, from: number, visible: number): Reading {
    const parts: Array<string> = []
    let bytes = 0
    let seq = from - 1
    for (let i = from - entry.first; i < entry.pieces.length; i++) {
      const piece = entry.pieces[i] ?? ""
      if (seq === visible) break
      const size = Buffer.byteLength(piece)
      if (bytes > 0 && bytes + size > maxMergedBytes) break
      parts.push(piece)
      bytes += size
      seq += 1
    }
    return this.written(entry, parts.join(""), from, seq)
  }

  private written({ kind, bubble }: DeltaEntry, text: string, first: number, seq: number): Reading {
    const around = bubble[kind]
    if (around !== this.around) {
      this.around = around
      this.size = Buffer.byteLength(around[0]) + Buffer.byteLength(around[1])
    }
    return this.write(text, first, seq, around, this.size)
  }
}
