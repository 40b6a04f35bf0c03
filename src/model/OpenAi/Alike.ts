/**
 * Most events of an answer differ in their text alone. Once one was parsed, those are read without parsing: the rest of
 * the event has to be the same, character by character (`JSON.parse` and looking at every field takes 2.5 µs a token).
 * Where they stand as most servers write them, in a `data: ` line and an empty one, their bytes are not even made a string.
 */
import { field } from "./Answer.ts"

/** Events that are tried for a pattern; servers whose events all differ cost no more. */
const maxLessons = 8

/** What stands in a JSON string as it is. */
const plain = /^[^"\\\p{Cc}]*$/u

const isNothing = (value: unknown): boolean => value === undefined || value === null

/** The text of a chunk that says a piece of text and nothing else. */
const textAlone = (chunk: unknown): string | null => {
  const choices = field(chunk, "choices")
  if (!Array.isArray(choices) || choices.length !== 1 || !isNothing(field(chunk, "usage"))) return null
  const [choice] = choices
  const delta = field(choice, "delta")
  const text = field(delta, "content")
  if (typeof text !== "string" || text === "" || !isNothing(field(choice, "finish_reason"))) return null
  const others = Object.entries(Object(delta)).filter(([key]) => key !== "content" && key !== "role")
  return others.every(([, value]) => isNothing(value)) ? text : null
}

const quote = 34
const backslash = 92
const space = 32
const nothing = Buffer.alloc(0)

export class Alike {
  private head = ""
  private tail = ""
  /** The same with what is around it in a body: up to `textAt` what comes before the text, and then what follows it. */
  private around = nothing
  private textAt = 0
  private lessons = 0

  /**
   * Reads whole events that are like the one learned from, and says the text of each. Answers where the first one begins
   * that is not, or not all there; to be called where an event may begin.
   */
  take(bytes: Buffer, from: number, to: number, say: (text: string) => void): number {
    const around = this.around
    const textAt = this.textAt
    const behind = around.length - textAt
    let at = from
    while (textAt > 0 && at + around.length <= to && this.stands(bytes, at, 0, textAt)) {
      const start = at + textAt
      let isAscii = true
      let stop = start
      for (; stop < to; stop++) {
        const byte = bytes[stop] ?? 0
        if (byte === quote) break
        if (byte === backslash || byte < space) return at
        if (byte > 127) isAscii = false
      }
      if (stop + behind > to || !this.stands(bytes, stop, textAt, around.length)) return at
      say(bytes.toString(isAscii ? "latin1" : "utf8", start, stop))
      at = stop + behind
    }
    return at
  }

  /** Whether that part of what is around the text stands there. Shorter than a call of Node's own `compare` takes. */
  private stands(bytes: Buffer, at: number, from: number, to: number): boolean {
    const around = this.around
    for (let i = from; i < to; i++) if (bytes[at - from + i] !== around[i]) return false
    return true
  }

  /** The text of an event that is like the one learned from; null: it has to be parsed. */
  textOf(json: string): string | null {
    const from = this.head.length
    const end = json.length - this.tail.length
    if (from === 0 || end < from || !json.startsWith(this.head) || !json.endsWith(this.tail)) return null
    const text = json.slice(from, end)
    return plain.test(text) ? text : null
  }

  /** Learns from an event that was parsed. */
  learn(json: string, chunk: unknown): void {
    if (this.lessons === maxLessons) return
    const text = textAlone(chunk)
    if (text === null) return
    this.lessons += 1
    const quoted = JSON.stringify(text)
    const at = json.lastIndexOf(quoted)
    if (at === -1) return
    const head = json.slice(0, at + 1)
    const tail = json.slice(at + quoted.length - 1)
    if (!isTextBetween(head, tail, text, chunk)) return
    this.head = head
    this.tail = tail
    const begin = `data: ${head}`
    this.around = Buffer.from(`${begin}${tail}\n\n`)
    this.textAt = Buffer.byteLength(begin)
  }
}

/** Whether another text between the two makes an event that differs in its text and nowhere else. */
const isTextBetween = (head: string, tail: string, text: string, chunk: unknown): boolean => {
  const other = `${text}.`
  try {
    const changed: unknown = JSON.parse(`${head}${JSON.stringify(other).slice(1, -1)}${tail}`)
    if (textAlone(changed) !== other) return false
    return JSON.stringify(withText(changed, text)) === JSON.stringify(chunk)
  } catch {
    // The quotes found were not those of a value.
    return false
  }
}

/** Its first choice says `text`. */
const withText = (chunk: unknown, text: string): unknown => {
  const delta = field(field(field(chunk, "choices"), "0"), "delta")
  if (typeof delta === "object" && delta !== null) Object.assign(delta, { content: text })
  return chunk
}
