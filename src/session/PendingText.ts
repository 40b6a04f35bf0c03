/**
 * Text that streams and has no number yet: neighbours of one kind and bubble are one. Whether it may wait for more is
 * decided with its first piece.
 *
 * Plain code: a token passes here.
 */
import { Patience } from "../Pace.ts"
import type { DeltaKind, StreamBubble } from "../protocol/streaming.ts"

/** Text of one delta at most, in characters: what a model says in one breath is no frame that fills a buffer. */
const maxDeltaChars = 32 * 1024

/** Cut between characters, never within one. */
const parts = (text: string): ReadonlyArray<string> => {
  const all: Array<string> = []
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + maxDeltaChars, text.length)
    const last = text.charCodeAt(to - 1)
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1
    all.push(text.slice(from, to))
    from = to
  }
  return all
}

export class PendingText {
  kind: DeltaKind = "content"
  bubble: StreamBubble | null = null
  private text = ""
  private pieces = 0
  private waits = false
  private readonly patience = new Patience()

  get isEmpty(): boolean {
    return this.text === ""
  }

  /** Whether this text goes on with what is here. */
  joins(kind: DeltaKind, bubble: StreamBubble): boolean {
    return this.kind === kind && this.bubble === bubble
  }

  /** `waits`: for more of the same. */
  begin(kind: DeltaKind, bubble: StreamBubble, waits: boolean): void {
    this.kind = kind
    this.bubble = bubble
    this.pieces = 0
    this.waits = waits
  }

  /** Whether waiting has brought more, so far. To be asked once for each text. */
  get pays(): boolean {
    return this.patience.mayWait()
  }

  add(text: string): void {
    this.pieces += 1
    this.text += text
  }

  /** Takes the text, in parts of which each fits into a frame. */
  take(): ReadonlyArray<string> {
    const { text } = this
    this.text = ""
    if (this.waits) this.patience.waited(this.pieces)
    return text.length <= maxDeltaChars ? [text] : parts(text)
  }

  drop(): void {
    this.text = ""
  }
}
