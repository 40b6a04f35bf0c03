/** Finds the session that an address names, checking what its endpoint and its app allow. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import { Catalogue } from "../app/Catalogue.ts"
import { type AppError, AppOfOtherKind, type NotYours } from "../protocol/errors.ts"
import type { Address } from "../protocol/frames.ts"
import { Hub } from "../session/Hub.ts"
import type { Session } from "../session/Session.ts"
import type { StorageError } from "../storage/StorageError.ts"

/** The kinds of app that have an endpoint of their own; null: any. */
export type Wanted = "assistant" | "workflow" | null

/** What the socket's own address says beside the app and the chat. */
export interface Opened {
  readonly wanted: Wanted
  readonly versionId: number | undefined
}

/** The session is held by `holder`. An address without a chat id is debug mode. */
export type OpenSession = (
  holder: Scope.Scope,
  address: Address,
  opened: Opened,
  userId: number
) => Effect.Effect<Session, AppError | NotYours | StorageError>

export const makeOpenSession: Effect.Effect<OpenSession, never, Hub | Catalogue> = Effect.gen(function* () {
  const hub = yield* Hub
  const catalogue = yield* Catalogue

  const stored = (holder: Scope.Scope, app: App, address: Address, userId: number) => {
    const opened = hub.openFor(holder, address, userId)
    // A run may wait since before this server started; who opens its session is to know.
    return app.resume === undefined ? opened : Effect.tap(opened, (session) => session.checkStatus)
  }

  return (holder, address, { wanted, versionId }, userId) => {
    const isDebug = address.chatId === ""
    const openApp: Effect.Effect<App, AppError | StorageError> = isDebug
      ? catalogue.openDebug(address.flowId, userId, versionId)
      : catalogue.open(address.flowId)
    return Effect.flatMap(openApp, (app) => {
      if (wanted !== null && app.kind !== wanted) {
        return new AppOfOtherKind({ flowId: address.flowId, wanted })
      }
      if (!isDebug) return stored(holder, app, address, userId)
      const draft = (data: unknown) => catalogue.openDraft(address.flowId, userId, data)
      return Scope.extend(hub.openPrivate(address, userId, openApp, draft), holder)
    })
  }
})
