/**
 * Which nodes live, and a way to ask one of them something. A node that has been silent for `leaseTime` has
 * lost whatever it held: others may take it over.
 *
 * Silence counts only while this node itself heard from the store all the time: after an outage of the store,
 * or a pause of this process, everybody gets that time anew.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Settings } from "../../config.ts"
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

export interface NodesService {
  /** What this process is called among all that ever ran: the owner of its runs. */
  readonly self: string
  /** No other node shares its sessions. */
  readonly isAlone: boolean
  /** Whether a run of that owner is nobody's any more. */
  readonly isDead: (owner: string) => boolean
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
        // What a node of this name left behind was this server's own, in an earlier life.
        onNone: () =>
          Effect.succeed({
            self: nodeId,
            isAlone: true,
            isDead: (owner: string) => owner.startsWith(`${nodeId}/`),
            ask: () => Effect.succeedNone,
            serve: () => Effect.void
          }),
        onSome: (store) => make(store, `${nodeId}/${crypto.randomUUID().slice(0, 8)}`, leaseTime)
      })
    })
  )
}

export const make = (store: LogStoreService, self: string, leaseTime: Duration.Duration) =>
  Effect.gen(function* () {
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const clock = yield* Effect.clock
    const time = Duration.toMillis(leaseTime)
    const period = time / 4
    const beats = new Map<string, { readonly count: number; readonly at: number }>()
    /** Since when the store has answered without a break, and when it did last. */
    let answersSince = 0
    let answeredAt = Number.NEGATIVE_INFINITY

    const isSteady = (now: number) => now - answeredAt <= period * 1.5

    const beat = Effect.gen(function* () {
      const counts = yield* store.beat(self)
      const now = yield* Clock.currentTimeMillis
      // A store that does not know this node any more has lost all others too: they have yet to say that they live.
      if (!isSteady(now) || !counts.has(self)) answersSince = now
      answeredAt = now
      for (const [node, count] of counts) {
        if (beats.get(node)?.count !== count) beats.set(node, { count, at: now })
      }
      for (const node of beats.keys()) if (!counts.has(node)) beats.delete(node)
    }).pipe(Effect.catchAll((error) => Effect.logDebug("no beat", error.cause)))

    yield* Effect.addFinalizer(() => Effect.ignore(store.leave(self)))
    yield* beat.pipe(Effect.repeat(Schedule.spaced(Duration.millis(period))), Effect.forkScoped)

    const isDead = (owner: string) => {
      const now = clock.unsafeCurrentTimeMillis()
      if (owner === self || owner === "" || !isSteady(now)) return false
      return now - Math.max(beats.get(owner)?.at ?? answersSince, answersSince) > time
    }

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
      self,
      isAlone: false,
      isDead,
      ask,
      serve: (serving) =>
        Effect.sync(() => {
          handler = serving
        })
    }
    return service
  })
