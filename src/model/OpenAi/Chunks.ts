/**
 * Where the chunks of a chunked body lie among its bytes (RFC 9112, 7.1). A plain state machine: every token of an answer
 * passes here, as a chunk of its own with most servers.
 */

/** What is kept of a line that has not ended, extensions included. */
const maxLine = 1024
/** A chunk of a length with more digits than these is none that a stream of events has. */
const maxDigits = 7

const lineFeed = 10
/** What may stand behind the digits: a carriage return, a semicolon, a space, a tab. */
const behind: ReadonlyArray<number> = [13, 59, 32, 9]

const digitOf = (byte: number): number => {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** A piece of a chunk lies there. */
export type Found = (bytes: Buffer, from: number, to: number) => void

export class Chunks {
  /** Bytes of the chunk, and of the line break behind it, that have not come. */
  private left = 0
  /** Of the line that says the next length: what it says so far, and what was read of it in earlier bytes. */
  private length = 0
  private digits = 0
  private extends = false
  private earlier = ""

  /** Whether the bytes so far end with a chunk. */
  get isBetween(): boolean {
    return this.left === 0 && this.digits === 0
  }

  /** What earlier bytes held of the line that has not ended. */
  get begun(): string {
    return this.earlier
  }

  /**
   * Reads the bytes from `from` to `to`, and tells where each piece of a chunk lies. Answers where the line begins, in
   * these bytes, that is not of a chunk with something in it: there the body ends, or is broken. `to`: there is none.
   */
  read(bytes: Buffer, from: number, to: number, found: Found): number {
    let at = from
    while (at < to) {
      if (this.left === 0) {
        const next = this.readLine(bytes, at, to)
        if (next === -1) return at
        at = next
        continue
      }
      const content = Math.min(at + this.left - 2, to)
      const end = Math.min(at + this.left, to)
      if (content > at) found(bytes, at, content)
      this.left -= end - at
      at = end
    }
    return to
  }

  /** Answers where the line ends, or these bytes do; -1: no chunk follows. */
  private readLine(bytes: Buffer, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0
      if (byte === lineFeed) {
        if (this.length === 0) return -1
        // The line break behind the chunk belongs to it.
        this.left = this.length + 2
        this.length = 0
        this.digits = 0
        this.extends = false
        this.earlier = ""
        return at + 1
      }
      if (this.extends) continue
      const digit = digitOf(byte)
      if (digit !== -1 && this.digits < maxDigits) {
        this.length = this.length * 16 + digit
        this.digits += 1
      } else if (this.digits > 0 && behind.includes(byte)) this.extends = true
      else return -1
    }
    if (this.earlier.length + to - from > maxLine) return -1
    this.earlier += bytes.toString("latin1", from, to)
    return to
  }
}
