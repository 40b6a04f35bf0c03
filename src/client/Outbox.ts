/** What was asked and replied and the server has not acknowledged: said again, under the same id, until it has. */
import type { SessionEvent } from "./events.ts"

export interface Pending {
  readonly clientMsgId: string
  /** Without the session's address and the id. */
  readonly payload: Readonly<Record<string, unknown>>
  /** What a session's readers are told when it is said, or said again after a refusal. */
  readonly event: SessionEvent
}

/** Refused ones are kept for another try, so many at most. */
const maxRefused = 32

export class Outbox {
  private readonly pending = new Map<string, Pending>()
  private readonly refused = new Map<string, Pending>()

  add(pending: Pending): void {
    this.refused.delete(pending.clientMsgId)
    this.pending.set(pending.clientMsgId, pending)
  }

  /** The server has it. */
  settle(clientMsgId: string | null): void {
    if (clientMsgId !== null) this.pending.delete(clientMsgId)
  }

  /** The run is over: it takes no reply any more. */
  settleReplies(runId: string): void {
    for (const [clientMsgId, { event }] of this.pending) {
      if (event.type === "replying" && event.runId === runId) this.pending.delete(clientMsgId)
    }
  }

  /** The server does not want it, for now. The last few can be said again. */
  refuse(clientMsgId: string): void {
    const pending = this.pending.get(clientMsgId)
    if (pending !== undefined) this.keepRefused(pending)
    this.pending.delete(clientMsgId)
  }

  keepRefused(pending: Pending): void {
    this.refused.set(pending.clientMsgId, pending)
    if (this.refused.size <= maxRefused) return
    for (const oldest of this.refused.keys()) {
      this.refused.delete(oldest)
      return
    }
  }

  refusedWith(clientMsgId: string): Pending | null {
    return this.refused.get(clientMsgId) ?? null
  }

  /** A refusal that names no question is of the oldest: the server takes them in order. */
  get oldest(): string | null {
    for (const clientMsgId of this.pending.keys()) return clientMsgId
    return null
  }

  refuseAll(): ReadonlyArray<string> {
    const all = [...this.pending.keys()]
    for (const clientMsgId of all) this.refuse(clientMsgId)
    return all
  }

  get all(): Iterable<Pending> {
    return this.pending.values()
  }

  get isEmpty(): boolean {
    return this.pending.size === 0
  }
}
