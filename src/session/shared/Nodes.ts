/** The nodes that share their sessions: which of them live (`beating.ts`), and a way to ask one of them something. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { Settings } from "../../config.ts"
import { type Beating, beating } from "./beating.ts"
import { LogStore, type LogStoreService } from "./LogStore.ts"

/** Stops a run of a session, or what waits in it; or has a look at whether the session is held for nothing. */
export const Request = Schema.Struct({
  flowId: Schema.String,
  chatId: Schema.String,
  userId: Schema.Number,
  scope: Schema.Literal("run", "all", "look"),
  /** Only this run; null: whichever there is. */
  runId: Schema.NullOr(Schema.String)
})
export type Request = typeof Request.Type

const Message = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ kind: Schema.Literal("ask"), id: Schema.String, from: Schema.String, request: Request }),
    Schema.Struct({ kind: Schema.Literal("answer"), id: Schema.String, stopped: Schema.Boolean })
  )
)
const decode = Schema.decodeOption(Message)
const encode = Schema.encodeSync(Message)

/** How long an answer may take; a request that was lost is made again by whoever made it. */
const answerWithin = "1 second"

export interface NodesService extends Beating {
  /** What this process is called among all that ever ran: the owner of its runs. */
  readonly self: string
  /** No other node shares its sessions. */
  readonly isAlone: boolean
  /** What came of it; none where no answer came. */
  readonly ask: (node: string, request: Request) => Effect.Effect<Option.Option<boolean>>
  /** Answers the requests of other nodes, from now on. */
  readonly serve: (handler: (request: Request) => Effect.Effect<boolean>) => Effect.Effect<void>
}

export class Nodes extends Context.Tag("colloquy/session/Nodes")<Nodes, NodesService>() {
  static readonly Live = Layer.scoped(
    Nodes,
    Effect.gen(function* () {
      const { nodeId, leaseTime } = yield* Settings
      return yield* Option.match(yield* LogStore, {
        onNone: () => Effect.succeed(alone(nodeId)),
        onSome: (store) => make(store, `${nodeId}/${crypto.randomUUID().slice(0, 8)}`, leaseTime)
      })
    })
  )
}

/** What a node of this name left behind was this server's own, in an earlier life. */
const alone = (nodeId: string): NodesService => {
  const seemsDead = (owner: string) => owner.startsWith(`${nodeId}/`)
  return {
    self: nodeId,
    isAlone: true,
    isDead: (owner) => Effect.succeed(seemsDead(owner)),
    seemsDead,
    living: () => 1,
    present: Effect.void,
    ask: () => Effect.succeedNone,
    serve: () => Effect.void
  }
}

const make = (store: LogStoreService, self: string, leaseTime: Duration.Duration) =>
  Effect.gen(function* () {
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const beats = yield* beating(store, self, leaseTime)

    const asked = new Map<string, Deferred.Deferred<boolean>>()
    let handler: (request: Request) => Effect.Effect<boolean> = () => Effect.succeed(false)

    const heard = (text: string) => {
      const message = decode(text)
      if (Option.isNone(message)) return
      if (message.value.kind === "answer") {
        const waiting = asked.get(message.value.id)
        if (waiting !== undefined) fork(Deferred.succeed(waiting, message.value.stopped))
        return
      }
      const { id, from, request } = message.value
      fork(
        handler(request).pipe(
          Effect.flatMap((stopped) => store.tell(from, encode({ kind: "answer", id, stopped }))),
          Effect.catchAll((error) => Effect.logDebug("a request was not answered", error.cause))
        )
      )
    }
    yield* store.attend(self, { heard, began: () => undefined })

    const ask: NodesService["ask"] = (node, request) =>
      Effect.gen(function* () {
        const id = crypto.randomUUID()
        const answer = yield* Deferred.make<boolean>()
        asked.set(id, answer)
        return yield* store.tell(node, encode({ kind: "ask", id, from: self, request })).pipe(
          Effect.zipRight(Deferred.await(answer)),
          // Whoever asks may not be interruptible, and would wait for ever.
          Effect.interruptible,
          Effect.timeout(answerWithin),
          Effect.option,
          Effect.ensuring(Effect.sync(() => asked.delete(id)))
        )
      })

    const service: NodesService = {
      ...beats,
      self,
      isAlone: false,
      ask,
      serve: (serving) =>
        Effect.sync(() => {
          handler = serving
        })
    }
    return service
  })
