/** Runs as they are looked for: by their id, by their chat, and those that are not over. */
import type { Run } from "../rows.ts"

interface Chat {
  /** Ids, oldest first. */
  readonly all: Array<string>
  /** Those that are queued or running. */
  readonly open: Set<string>
}

export class RunTable {
  private readonly rows = new Map<string, Run>()
  private readonly chats = new Map<string, Chat>()
  /** Chats with a run that is queued or running. */
  private readonly busy = new Set<Chat>()

  get(id: string): Run | undefined {
    return this.rows.get(id)
  }

  /** Takes the place of the row of the same id. */
  set(run: Run): void {
    const chat = this.chats.get(run.chat_id) ?? { all: [], open: new Set() }
    this.chats.set(run.chat_id, chat)
    if (!this.rows.has(run.id)) chat.all.push(run.id)
    this.rows.set(run.id, run)
    if (run.status === "queued" || run.status === "running") chat.open.add(run.id)
    else chat.open.delete(run.id)
    if (chat.open.size > 0) this.busy.add(chat)
    else this.busy.delete(chat)
  }

  /** Oldest first. */
  ofChat(chatId: string): ReadonlyArray<Run> {
    return this.named(this.chats.get(chatId)?.all ?? [])
  }

  /** Newest first, which is also the order of their questions. */
  *latestOf(chatId: string): Generator<Run> {
    const all = this.chats.get(chatId)?.all ?? []
    for (let i = all.length - 1; i >= 0; i--) {
      const run = this.rows.get(all[i] ?? "")
      if (run !== undefined) yield run
    }
  }

  /** Of a chat: queued or running. */
  openOf(chatId: string): ReadonlyArray<Run> {
    return this.named(this.chats.get(chatId)?.open ?? [])
  }

  /** Of all chats: queued or running. */
  open(): ReadonlyArray<Run> {
    return [...this.busy].flatMap(({ open }) => this.named(open))
  }

  private named(ids: Iterable<string>): ReadonlyArray<Run> {
    const runs: Array<Run> = []
    for (const id of ids) {
      const run = this.rows.get(id)
      if (run !== undefined) runs.push(run)
    }
    return runs
  }
}
