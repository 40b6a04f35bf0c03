/** The sessions that are live on this node, by their chat: of one chat several may be, each of another user or app. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Session } from "./Session.ts"

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

  /**
   * Known until the scope closes. Not by `acquireRelease`, which keeps all fiber refs of the fiber that acquired, for
   * the release to run under: of what every idle socket holds that was a third.
   */
  add(scope: Scope.Scope, session: Session): Effect.Effect<void> {
    const { chatId } = session.address
    return Effect.suspend(() => {
      this.set(chatId, [...this.of(chatId), session])
      return Scope.addFinalizer(
        scope,
        Effect.sync(() => this.remove(chatId, session))
      )
    })
  }

  private remove(chatId: string, session: Session): void {
    this.set(
      chatId,
      this.of(chatId).filter((other) => other !== session)
    )
  }

  private set(chatId: string, sessions: ReadonlyArray<Session>): void {
    if (sessions.length === 0) this.byChat.delete(chatId)
    else this.byChat.set(chatId, sessions)
  }
}
