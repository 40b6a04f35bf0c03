/** The stores of the whole cluster, in memory, and one process's way to them. */

import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { Messages } from "../../../src/storage/Messages.ts"
import { Memory } from "../../../src/storage/memory/Memory.ts"
import { type RunStore, Runs } from "../../../src/storage/Runs.ts"
import { Sessions } from "../../../src/storage/Sessions.ts"
import { StorageError } from "../../../src/storage/StorageError.ts"
import type { World } from "./VirtualTime.ts"
import type { Wire } from "./Wire.ts"

export type Stores = Runs | Messages | Sessions

export class Database {
  private readonly runtime: Runtime.Runtime<never>
  readonly stores: Context.Context<Stores>

  constructor(world: World) {
    this.runtime = Runtime.defaultRuntime.pipe(
      Runtime.setFiberRef(
        DefaultServices.currentServices,
        Context.add(DefaultServices.liveServices, Clock.Clock, world.clock)
      )
    )
    this.stores = this.now(Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(Memory, scope)))
  }

  /** One step of the database, now. */
  now<A, E>(step: Effect.Effect<A, E>): A {
    return Runtime.runSync(this.runtime)(step)
  }

  /** The stores as a process sees them at the other end of its wire. */
  over(wire: Wire): Context.Context<Stores> {
    const through = <A, E>(
      operation: string,
      step: Effect.Effect<A, E>
    ): Effect.Effect<A, E | StorageError> =>
      wire.call<A, E | StorageError>(
        operation,
        () => Runtime.runSyncExit(this.runtime)(step),
        () => new StorageError({ operation, cause: "the wire" })
      )
    const runs = Context.get(this.stores, Runs)
    const messages = Context.get(this.stores, Messages)
    const sessions = Context.get(this.stores, Sessions)
    const remote: RunStore = {
      accept: (acceptance) => through("accept", runs.accept(acceptance)),
      dequeue: (chatId, owner) => through("dequeue", runs.dequeue(chatId, owner)),
      waits: (chatId) => through("waits", runs.waits(chatId)),
      queue: (chatId) => through("queue", runs.queue(chatId)),
      cancel: (chatId, runId, owner) => through("cancel", runs.cancel(chatId, runId, owner)),
      untold: (limit) => through("untold", runs.untold(limit)),
      told: (runIds) => through("told", runs.told(runIds)),
      amend: (runId, change) => through("amend", runs.amend(runId, change)),
      record: (runId, rows) => through("record", runs.record(runId, rows)),
      settle: (runId, rows) => through("settle", runs.settle(runId, rows)),
      park: (runId, wait) => through("park", runs.park(runId, wait)),
      resume: (runId, reply, owner) => through("resume", runs.resume(runId, reply, owner)),
      waiting: (chatId) => through("waiting", runs.waiting(chatId)),
      overdue: (limit) => through("overdue", runs.overdue(limit)),
      reopen: (runId, owner) => through("reopen", runs.reopen(runId, owner)),
      checkpoint: (parts) => through("checkpoint", runs.checkpoint(parts)),
      finish: (runId, ending) => through("finish", runs.finish(runId, ending)),
      rollback: (runId) => through("rollback", runs.rollback(runId)),
      get: (runId) => through("get", runs.get(runId)),
      find: (chatId, clientMsgId) => through("find", runs.find(chatId, clientMsgId)),
      ofChat: (chatId, limit) => through("ofChat", runs.ofChat(chatId, limit)),
      owners: through("owners", runs.owners),
      unfinished: (owner) => through("unfinished", runs.unfinished(owner))
    }
    return Context.make(Runs, remote).pipe(
      Context.add(Messages, {
        get: (id) => through("message", messages.get(id)),
        page: (query) => through("page", messages.page(query)),
        latestFilling: (chatId, actions) => through("filling", messages.latestFilling(chatId, actions)),
        ofRun: (runId) => through("ofRun", messages.ofRun(runId)),
        memory: (chatId, rounds) => through("memory", messages.memory(chatId, rounds))
      }),
      Context.add(Sessions, {
        get: (chatId) => through("session", sessions.get(chatId)),
        list: (query) => through("sessions", sessions.list(query)),
        latestMessages: (chatIds) => through("latest", sessions.latestMessages(chatIds)),
        remove: (chatId) => through("remove", sessions.remove(chatId)),
        forget: (chatId) => through("forget", sessions.forget(chatId))
      })
    )
  }
}
