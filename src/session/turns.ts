/** What can be done with the questions of a session: made for the first one, because most sessions have none. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ask } from "./asking.ts"
import { Desk } from "./Desk.ts"
import type { SessionOptions } from "./makeSession.ts"
import { checkStatus, expire, reply } from "./replying.ts"
import type { Session } from "./Session.ts"
import { stop } from "./stopping.ts"

export interface Turns
  extends Pick<
    Session,
    | "ask"
    | "reply"
    | "checkStatus"
    | "expire"
    | "stop"
    | "clearHistory"
    | "resume"
    | "takeOver"
    | "tellEnd"
    | "look"
    | "depose"
    | "running"
  > {
  /** To be run when a socket has come or gone. */
  readonly watchOrphan: Effect.Effect<void>
}

/** Runs live in `scope`; `sockets` says how many are following here. */
export const makeTurns = (options: SessionOptions, scope: Scope.Scope, sockets: () => number): Turns => {
  const desk = new Desk(options, scope, sockets)
  return {
    running: () => desk.runner.active?.turn.runId ?? null,
    watchOrphan: desk.watchOrphan,
    ask: (question, asker) => ask(desk, question, asker),
    reply: (answer, asker) => reply(desk, answer, asker),
    checkStatus: checkStatus(desk),
    expire: (runId) => expire(desk, runId),
    stop: (stopScope, runId = null) => stop(desk, stopScope, runId),
    resume: desk.queue.resume,
    look: desk.queue.look,
    takeOver: (runId) => desk.queue.takeOver(runId),
    tellEnd: (runId) => desk.untold.tellEnd(runId),
    depose: desk.runner.abandon,
    clearHistory: desk.journal.forget
  }
}
