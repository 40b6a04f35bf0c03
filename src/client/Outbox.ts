/** Questions that the server has not acknowledged. They are said again, under the same id, until it has. */
import type { OnBusy } from "../protocol/payloads.ts"

export interface Pending {
  readonly clientMsgId: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly onBusy: OnBusy | undefined
}

export class Outbox {
  private readonly pending = new Map<string, Pending>()

  add(question: Pending): void {
    this.pending.set(question.clientMsgId, question)
  }

  /** Answers whether it was waiting. */
  settle(clientMsgId: string | null): boolean {
    return clientMsgId !== null && this.pending.delete(clientMsgId)
  }

  /** A refusal that names no question is of the oldest: the server takes them in order. */
  takeOldest(): string | null {
    for (const clientMsgId of this.pending.keys()) {
      this.pending.delete(clientMsgId)
      return clientMsgId
    }
    return null
  }

  takeAll(): ReadonlyArray<string> {
    const all = [...this.pending.keys()]
    this.pending.clear()
    return all
  }

  get all(): Iterable<Pending> {
    return this.pending.values()
  }

  get isEmpty(): boolean {
    return this.pending.size === 0
  }
}
