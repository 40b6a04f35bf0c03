/**
 * Reads server-sent events from body chunks as they come: a chunk may end anywhere, in the middle of a
 * character too. Everything is synchronous: `onData` has been called for each complete event of a chunk when
 * `feed` returns.
 */
import { StringDecoder } from "node:string_decoder"

export interface SseReader {
  /** Reads a part of the bytes, all of them unless it is said which; false when an event grew above the limit: give up. */
  readonly feed: (bytes: Buffer, from?: number, to?: number) => boolean
  /** Whether the bytes so far end with an event, so that what follows may be read by somebody else. */
  readonly isBetween: () => boolean
  /** The body ended: what an event without its closing empty line held, or null. */
  readonly end: () => string | null
}

export const sseReader = (onData: (data: string) => void, maxEventChars: number): SseReader => {
  const decoder = new StringDecoder("utf8")
  /** The last bytes ended in the middle of a character, perhaps. */
  let isOpen = false
  let first = true
  /** The last chunk ended in a carriage return: a line feed at the start of the next belongs to it. */
  let afterReturn = false
  /** The beginning of a line whose end has not come yet. */
  let pending = ""
  /** The `data` lines of the event that is open. */
  let data: string | null = null

  const line = (text: string): void => {
    if (text === "") {
      const complete = data
      data = null
      if (complete !== null) onData(complete)
      return
    }
    if (!text.startsWith("data")) return // a comment, or a field that says nothing to us
    if (text.length > 4 && text.charCodeAt(4) !== 58) return // "database: …" is another field
    const value = text.slice(text.charCodeAt(5) === 32 ? 6 : 5)
    data = data === null ? value : `${data}\n${value}`
  }

  const read = (text: string): boolean => {
    let from = 0
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
      line(pending === "" ? text.slice(from, at) : pending + text.slice(from, at))
      pending = ""
      from = at + 1
    }
    pending += from === 0 ? text : text.slice(from)
    return pending.length + (data === null ? 0 : data.length) <= maxEventChars
  }

  return {
    feed: (bytes, from = 0, to = bytes.length) => {
      const endsPlainly = (bytes[to - 1] ?? 0) < 0x80
      // The decoder wants a view of its own, and is a third slower where none is needed.
      let text =
        endsPlainly && !isOpen ? bytes.toString("utf8", from, to) : decoder.write(bytes.subarray(from, to))
      isOpen = !endsPlainly
      if (text === "") return true
      if (first) {
        first = false
        if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
      }
      if (afterReturn) {
        afterReturn = false
        if (text.charCodeAt(0) === 10) text = text.slice(1)
      }
      if (text.includes("\r")) {
        afterReturn = text.endsWith("\r")
        text = text.replace(/\r\n?/g, "\n")
      }
      return read(text)
    },
    isBetween: () => pending === "" && data === null && !isOpen && !afterReturn && !first,
    end: () => {
      if (pending !== "") line(pending)
      pending = ""
      return data
    }
  }
}
