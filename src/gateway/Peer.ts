/**
 * One open socket as the rest of the gateway sees it: who it is, how to write to it, how to end it.
 */
import type { Socket } from "node:net"
import * as Effect from "effect/Effect"
import type { WebSocket } from "ws"
import { type ProtocolError, TooSlow, tell } from "../protocol/errors.ts"
import { type Frame, frame } from "../protocol/frames.ts"
import { Inbox } from "./Inbox.ts"
import { Outbox, type OutboxOwner } from "./Outbox.ts"

export interface PeerIdentity {
  readonly userId: number
  readonly ip: string
  /** Asked for the frames that only our own clients know. */
  readonly native: boolean
  /** Asked, as one of them, for text in short frames. */
  readonly brief: boolean
  readonly expiresAt: number | null
}

export class Peer implements OutboxOwner {
  readonly identity: PeerIdentity
  readonly inbox: Inbox
  readonly outbox: Outbox
  private readonly ws: WebSocket
  /** Answered the last ping. */
  private alive = true
  private stalls = 0
  /** Whoever wants to know that it does not take what it is sent. */
  onSlow: ((peer: Peer) => void) | null = null

  constructor(ws: WebSocket, socket: Socket, identity: PeerIdentity, buffer: number) {
    this.ws = ws
    this.identity = identity
    this.inbox = new Inbox(ws)
    const { brief } = identity
    this.outbox = new Outbox({ ws, socket, buffer, brief, owner: this })
    ws.on("pong", () => {
      this.alive = true
    })
  }

  send(frame: Frame): void {
    this.outbox.send(JSON.stringify(frame))
  }

  /** Says that it should connect anew in so many milliseconds: nothing is lost when it resumes then. */
  askToMove(afterMs: number): void {
    const nowhere = { flowId: "", chatId: "" }
    this.send(frame(nowhere, "info", "system", { message: { action: "reconnect", after_ms: afterMs } }))
  }

  /** Closes the socket with the code and words of the error's row; a row without a close code leaves it open. */
  end(error: ProtocolError): void {
    const { close } = tell(error)
    if (close === null) return
    this.outbox.flush()
    this.ws.close(close.code, close.reason)
  }

  /** Whatever is left of the connection ends. */
  drop(): void {
    this.ws.terminate()
  }

  /** Pings; ends the socket if the last ping went unanswered. */
  beat(): void {
    if (!this.alive) {
      this.ws.terminate()
      return
    }
    this.alive = false
    if (this.ws.readyState === this.ws.OPEN) this.ws.ping()
  }

  lost(): void {
    this.end(new TooSlow())
  }

  slow(): void {
    this.onSlow?.(this)
  }

  /** Whether it has still not taken what it was sent. Ends a socket that has taken nothing for `limit` calls in a row. */
  isStillSlow(limit: number): boolean {
    this.stalls = this.outbox.isStalled() ? this.stalls + 1 : 0
    if (this.stalls >= limit) {
      this.end(new TooSlow())
      // The close frame waits behind what the peer does not read.
      this.ws.terminate()
    }
    return this.outbox.isBlocked
  }

  get isGone(): boolean {
    return this.ws.readyState === this.ws.CLOSED
  }

  /** Waits until the socket is closed; what it still says is not read. */
  get gone(): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      if (this.isGone) return resume(Effect.void)
      this.inbox.discard()
      this.ws.once("close", () => resume(Effect.void))
    })
  }
}
