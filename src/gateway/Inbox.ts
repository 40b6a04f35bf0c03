/**
 * One socket's way in: messages wait here until the connection's fiber takes them, one at a time. When too
 * many wait, the socket is paused, so that a flood stays in the sender's kernel and not in our memory.
 */
import * as Effect from "effect/Effect"
import type { WebSocket } from "ws"

const pauseAt = 16

/** A text message, a binary one (`null`), or the end. */
export type Incoming = { readonly _tag: "Message"; readonly text: string | null } | { readonly _tag: "Gone" }

export class Inbox {
  private readonly ws: WebSocket
  private readonly waiting: Array<string | null> = []
  private wake: (() => void) | null = null
  private gone = false
  private dropping = false

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on("message", (data, isBinary) => {
      if (this.dropping) return
      this.waiting.push(isBinary ? null : data.toString())
      if (this.waiting.length >= pauseAt) ws.pause()
      this.wake?.()
    })
    ws.on("close", () => {
      this.gone = true
      this.wake?.()
    })
    // `close` follows every error, and the reason is in the close frame.
    ws.on("error", () => this.wake?.())
  }

  /** The next message; waits for it. What a peer sent before it went is still handed out. */
  get take(): Effect.Effect<Incoming> {
    const ready = this.poll()
    if (ready !== null) return Effect.succeed(ready)
    // Nothing to undo when it is interrupted: nobody takes from this inbox any more. An idle fiber would keep that.
    return Effect.async<Incoming>((resume) => {
      this.wake = () => {
        const next = this.poll()
        if (next === null) return
        this.wake = null
        resume(Effect.succeed(next))
      }
    })
  }

  /** From now on what comes is dropped: the socket is being closed. */
  discard(): void {
    this.dropping = true
    this.waiting.length = 0
    this.ws.resume()
  }

  private poll(): Incoming | null {
    const text = this.waiting.shift()
    if (text !== undefined) {
      if (this.waiting.length === 0 && this.ws.isPaused) this.ws.resume()
      return { _tag: "Message", text }
    }
    return this.gone ? { _tag: "Gone" } : null
  }
}
