/** Keeps a session's queue in its state: as the server tells of it, and read anew where that may not be all. */
import type { SessionEvent } from "./events.ts"
import { type Fields, isFields, numberOrNull, textOf, textOrNull } from "./json.ts"
import { type Queue, type QueuedQuestion, readQueue } from "./queue.ts"
import type { ServerRequest } from "./server.ts"

export interface QueuePort {
  readonly chatId: string
  /** Read it unasked. */
  readonly follows: boolean
  readonly known: () => Queue
  readonly emit: (event: SessionEvent) => void
  readonly ask: (path: string, request?: ServerRequest) => Promise<unknown>
}

/** The server lists so many runs at once, and lets fewer wait. */
const limit = 100

export class QueueKeeper {
  private readonly port: QueuePort
  /** Whatever the server tells makes another one: what was read meanwhile may be older. */
  private edition = 0
  private refreshing = false

  constructor(port: QueuePort) {
    this.port = port
  }

  /** The server follows the session for us, perhaps after a while in which nothing was told. */
  opened(status: string): void {
    this.edition += 1
    this.refresh()
    // Only behind a run in progress is there a queue.
    if (!this.port.follows && status !== "running" && this.port.known().length > 0) {
      this.port.emit({ type: "queue", questions: [] })
    }
  }

  /** A run has begun: it waits no more. */
  begun(): void {
    this.edition += 1
  }

  /** The server said that a question waits, has moved, reads anew, or is gone. */
  told(message: Fields): void {
    this.edition += 1
    const runId = textOf(message, "run_id")
    const clientMsgId = textOrNull(message, "client_msg_id")
    const position = numberOrNull(message, "position") ?? 1
    if (message["cancelled"] === true) {
      this.port.emit({ type: "cancelled", runId, clientMsgId })
      return
    }
    this.port.emit({ type: "queued", runId, clientMsgId, position, text: textOrNull(message, "message") })
    // Someone else's, or it waits behind someone else's.
    if (this.find(runId)?.position !== position) this.refresh()
  }

  async read(): Promise<Queue> {
    const { chatId, ask, emit, known } = this.port
    for (;;) {
      const { edition } = this
      const questions = readQueue(
        await ask(`/api/v1/runs?chat_id=${encodeURIComponent(chatId)}&limit=${limit}`)
      )
      if (edition !== this.edition) continue
      emit({ type: "queue", questions })
      return known()
    }
  }

  async cancel(runId: string): Promise<boolean> {
    const answer = await this.change(runId, "/stop", { method: "POST" })
    const stopped = isFields(answer) && answer["stopped"] === true
    const waited = this.find(runId)
    // It is told to everyone who follows, but not before the answer.
    if (stopped && waited !== undefined) {
      this.edition += 1
      this.port.emit({ type: "cancelled", runId, clientMsgId: waited.clientMsgId })
    }
    if (!stopped) this.refresh()
    return stopped
  }

  async amend(runId: string, text: string): Promise<void> {
    await this.change(runId, "", { method: "PATCH", body: { message: text } })
    const waits = this.find(runId)
    if (waits === undefined) return
    this.edition += 1
    this.port.emit({ type: "queued", ...waits, text })
  }

  private change(runId: string, what: string, request: ServerRequest): Promise<unknown> {
    return this.port.ask(`/api/v1/runs/${encodeURIComponent(runId)}${what}`, request).catch((cause) => {
      // It is not what it was thought to be.
      this.refresh()
      throw cause
    })
  }

  private find(runId: string): QueuedQuestion | undefined {
    return this.port.known().find((question) => question.runId === runId)
  }

  /** Reads it in the background. What is known stays where that fails: the next change is another occasion. */
  private refresh(): void {
    // A reading that is on its way starts over by itself.
    if (!this.port.follows || this.refreshing) return
    this.refreshing = true
    const done = () => {
      this.refreshing = false
    }
    this.read().then(done, done)
  }
}
