/** The sessions that are live on this node, by their chat: of one chat several may be, each of another user or app. */
import type { Session } from "./Session.ts"

export class LiveSessions {
  private readonly byChat = new Map<string, ReadonlyArray<Session>>()

  /** Of how many chats. */
  get size(): number {
    return this.byChat.size
  }

  /** One after the other: a list of them all, made every second, took as long as the pings of as many sockets. */
  *all(): Generator<Session> {
    for (const sessions of this.byChat.values()) for (const session of sessions) yield session
  }

  of(chatId: string): ReadonlyArray<Session> {
    return this.byChat.get(chatId) ?? []
  }

  add(session: Session): void {
    const { chatId } = session.address
    const others = this.byChat.get(chatId)
    this.byChat.set(chatId, others === undefined ? [session] : [...others, session])
  }

  remove(session: Session): void {
    const { chatId } = session.address
    const others = this.of(chatId).filter((other) => other !== session)
    if (others.length === 0) this.byChat.delete(chatId)
    else this.byChat.set(chatId, others)
  }
}
