/** What tests of the client wait for. */
import type { Client, ConnectionState, Session, SessionEvent } from "../../src/client/client.ts"
import type { ScriptedServer, Visitor } from "./ScriptedServer.ts"
import * as wire from "./wire.ts"

type Events = AsyncIterableIterator<SessionEvent, undefined>

/** Resolves when the connection is in this state; at once if it is. */
export const reached = <S extends ConnectionState["status"]>(
  client: Client,
  status: S
): Promise<Extract<ConnectionState, { status: S }>> =>
  new Promise((resolve) => {
    const isIt = (state: ConnectionState): state is Extract<ConnectionState, { status: S }> =>
      state.status === status
    if (isIt(client.connection)) {
      resolve(client.connection)
      return
    }
    const forget = client.onConnection((state) => {
      if (!isIt(state)) return
      forget()
      resolve(state)
    })
  })

/** Reads events until one of this type comes; answers it. */
export const next = async <T extends SessionEvent["type"]>(
  events: AsyncIterator<SessionEvent, undefined>,
  type: T
): Promise<Extract<SessionEvent, { type: T }>> => {
  const isIt = (event: SessionEvent): event is Extract<SessionEvent, { type: T }> => event.type === type
  for (;;) {
    const { done, value } = await events.next()
    if (done === true) throw new Error(`no ${type} before the end`)
    if (isIt(value)) return value
  }
}

/** Resolves once the session's state is so. */
export const until = (session: Session, isSo: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    if (isSo()) return resolve()
    const stop = session.subscribe(() => {
      if (!isSo()) return
      stop()
      resolve()
    })
  })

/** A session whose socket is open, and the server's end of it. */
export const meet = async (
  server: ScriptedServer,
  session: Session
): Promise<{ session: Session; events: Events; visitor: Visitor }> => {
  const events = session.events()
  const visitor = await server.visitors.take()
  visitor.say(wire.opened())
  await next(events, "opened")
  return { session, events, visitor }
}
