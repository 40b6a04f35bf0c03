/** The sessions that are live on this node, by their chat: of one chat several may be, each of another user or app. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Session } from "./Session.ts"
import { whileOpen } from "./whileOpen.ts"

export class LiveSessions {
  private readonly byChat = new Map<string, ReadonlyArray<Session>>()

  /** Of how many chats. */
  get size(): number {
    return this.byChat.size
  }

  get all(): ReadonlyArray<Session> {
    return [...this.byChat.values()].flat()
  }

  of(chatId: string): ReadonlyArray<Session> {
    return this.byChat.get(chatId) ?? []
  }

  /** Known until the scope closes. */
  add(session: Session): Effect.Effect<void, never, Scope.Scope> {
    const { chatId } = session.address
    return whileOpen(
      Effect.sync(() => this.set(chatId, [...this.of(chatId), session])),
      () =>
        Effect.sync(() =>
          this.set(
            chatId,
            this.of(chatId).filter((other) => other !== session)
          )
        )
    )
  }

  private set(chatId: string, sessions: ReadonlyArray<Session>): void {
    if (sessions.length === 0) this.byChat.delete(chatId)
    else this.byChat.set(chatId, sessions)
  }
}
