/**
 * One reader's events. Bounded: neighbouring pieces of text become one event while they wait, and beyond
 * `capacity` the oldest are dropped, which the reader learns by a `missed` event in their place.
 */
import type { SessionEvent } from "./events.ts"

type Result = IteratorResult<SessionEvent, undefined>

export class EventQueue implements AsyncIterableIterator<SessionEvent, undefined> {
  private readonly capacity: number
  private readonly onEnd: (queue: EventQueue) => void
  private readonly waiting: Array<SessionEvent> = []
  private readonly readers: Array<(result: Result) => void> = []
  private missed = 0
  private ended = false

  constructor(capacity: number, onEnd: (queue: EventQueue) => void) {
    this.capacity = Math.max(1, capacity)
    this.onEnd = onEnd
  }

  push(event: SessionEvent): void {
    if (this.ended) return
    const reader = this.readers.shift()
    if (reader !== undefined) {
      reader({ done: false, value: event })
      return
    }
    const last = this.waiting.at(-1)
    const merged = last === undefined ? null : joined(last, event)
    if (merged !== null) {
      this.waiting[this.waiting.length - 1] = merged
      return
    }
    this.waiting.push(event)
    if (this.waiting.length > this.capacity) {
      this.waiting.shift()
      this.missed += 1
    }
  }

  /** What waits can still be read; after it the iteration is done. */
  end(): void {
    if (this.ended) return
    this.ended = true
    for (const reader of this.readers.splice(0)) reader({ done: true, value: undefined })
  }

  next(): Promise<Result> {
    if (this.missed > 0) {
      const count = this.missed
      this.missed = 0
      return Promise.resolve({ done: false, value: { type: "missed", count } })
    }
    const event = this.waiting.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.readers.push(resolve))
  }

  return(): Promise<Result> {
    this.waiting.length = 0
    this.missed = 0
    this.end()
    this.onEnd(this)
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Two pieces of the same stream as one, or null where they are not. */
const joined = (a: SessionEvent, b: SessionEvent): SessionEvent | null => {
  if (a.type === "text" && b.type === "text" && a.runId === b.runId) return { ...a, text: a.text + b.text }
  if (a.type === "reasoning" && b.type === "reasoning" && a.runId === b.runId) {
    return { ...a, text: a.text + b.text }
  }
  if (a.type === "node_text" && b.type === "node_text" && a.runId === b.runId && a.stream === b.stream) {
    return { ...a, text: a.text + b.text, reasoning: a.reasoning + b.reasoning }
  }
  return null
}
