/**
 * The lease of a session that several nodes share. Whoever has it writes the log and sends it to the store,
 * which gives it to everybody else; frames may be read, here too, once the store has them.
 *
 * The writer's log is right about the run in progress: what the store has lost (a restart, a fail-over to a
 * copy that was behind) is sent again, with the same numbers.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { RedisError } from "../../redis/RedisError.ts"
import type { RunStatus } from "../../storage/rows.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { Standing } from "../batch.ts"
import type { FrameLog } from "../FrameLog.ts"
import type { Lease } from "./Lease.ts"
import type { Claimed, LogStoreService } from "./LogStore.ts"

/** How often what the store refuses to answer is tried again. */
const again = Schedule.union(Schedule.exponential(Duration.millis(50)), Schedule.spaced(Duration.seconds(1)))

/** Comparisons without a word of the run in progress, after which it is asked whether it has ended. */
const stillFor = 5

/** How often a lease is asked back that somebody else has got. */
const reclaims = 30

/** How long a socket waits for the frames of other nodes before it is given what is known here. */
const patience = "2 seconds"

export interface SharedLeaseOptions {
  readonly store: LogStoreService
  readonly key: string
  readonly self: string
  readonly log: FrameLog
  readonly newEpoch: () => string
  readonly isDead: (owner: string) => boolean
  readonly user: LeaseUser
  /** What the lease does by itself lives there. */
  readonly scope: Scope.Scope
  /** Runs from outside of any fiber, in that scope. */
  readonly fork: (effect: Effect.Effect<void>) => void
}

/** The session that the lease is for. */
export interface LeaseUser {
  /** Another node has taken the session: what runs here must end without a word. */
  readonly onDeposed: Effect.Effect<void>
  /** The epoch that the session would begin with at this moment, had nobody told anything of it. */
  readonly epochNow: Effect.Effect<string, StorageError>
  /** What became of a run of this node's, as the database says; null: it is another node's, or gone. */
  readonly statusHere: (runId: string) => Effect.Effect<RunStatus | null, StorageError>
  /** What was told is in the store no more, and nobody writes: somebody has to look after the session. */
  readonly onForgotten: Effect.Effect<void>
}

export class SharedLease implements Lease {
  private readonly options: SharedLeaseOptions
  private readonly log: FrameLog
  readonly isShared = true
  private fence: string | null = null
  private terms = 0
  private pump: Fiber.RuntimeFiber<void> | null = null
  /** What the store has. */
  private acked = 0
  private told: Standing
  private releasing = 0
  /** What was written at the last comparison. */
  private compared = 0
  /** Comparisons since anything was written in the run in progress. */
  private still = 0
  private heldBy = ""
  private readonly written = Effect.unsafeMakeLatch(false)
  private readonly flushed = Effect.unsafeMakeLatch(true)
  private readonly reading = Effect.unsafeMakeSemaphore(1)
  private following = false
  private loading = false
  private loadAgain = false

  constructor(options: SharedLeaseOptions) {
    this.options = options
    this.log = options.log
    this.told = options.log.standing
  }

  holder(): string {
    return this.heldBy
  }

  /** Holds nothing, and nobody else believes that it does. */
  get isAtRest(): boolean {
    return this.fence === null && this.releasing === 0
  }

  term(): number {
    return this.fence === null ? 0 : this.terms
  }

  get key(): string {
    return this.options.key
  }

  get isFollowing(): boolean {
    return this.following && this.fence === null
  }

  /** Reads again where the store has more than was heard. */
  compare(known: { readonly epoch: string; readonly seq: number } | null): void {
    const { log } = this
    const before = this.compared
    this.compared = log.written
    this.still = log.written === before && log.standing.status === "running" ? this.still + 1 : 0
    if (!this.isFollowing) return
    // The store has lost the end of a run, or will be told of the run again by the node that has it.
    if (known === null) {
      if (log.standing.status === "running") this.options.fork(this.options.user.onForgotten)
    } else if (known.epoch !== log.epoch || known.seq > log.written) this.refresh()
    // What was heard while the store was asked does not count.
    else if (known.seq < before || this.still >= stillFor) {
      this.still = 0
      this.options.fork(this.options.user.onForgotten)
    }
  }

  get hold(): Effect.Effect<boolean> {
    return Effect.suspend(() => (this.fence === null ? this.claim : Effect.succeed(true)))
  }

  private get claim(): Effect.Effect<boolean> {
    const { store, key, self, newEpoch, isDead, user } = this.options
    return Effect.gen(this, function* () {
      const { log } = this
      const known = { epoch: log.epoch, seq: log.written }
      // An epoch that something was told under, which is kept nowhere any more, must not begin again.
      const isNew = log.isUntouched && (yield* user.epochNow) === log.epoch
      const epoch = isNew ? log.epoch : newEpoch()
      const claim = { self, dead: null, epoch, seq: 0, known }
      let claimed = yield* store.claim(key, claim)
      if (claimed._tag === "Held" && isDead(claimed.owner)) {
        claimed = yield* store.claim(key, { ...claim, dead: claimed.owner })
      }
      if (claimed._tag === "Held") {
        this.heldBy = claimed.owner
        return false
      }
      if (claimed.epoch !== log.epoch || claimed.seq !== log.written) {
        yield* this.reload.pipe(Effect.onError(() => this.release(claimed.fence)))
      }
      if (claimed.epoch !== log.epoch || claimed.seq !== log.written) {
        log.replace(claimed.epoch, claimed.seq, [])
        this.compared = 0
      }
      yield* this.take(claimed.fence)
      return true
    }).pipe(
      Effect.catchAll((error) =>
        Effect.as(Effect.logWarning("a session could not be claimed", error.cause), false)
      ),
      Effect.uninterruptible
    )
  }

  private take(fence: string): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      this.fence = fence
      this.terms += 1
      this.acked = this.log.written
      this.told = this.log.standing
      this.written.unsafeClose()
      this.log.share({ push: () => this.push() })
      this.pump = yield* Effect.forkIn(Effect.interruptible(this.deliver), this.options.scope)
    })
  }

  private push(): void {
    if (!this.isBehind()) return
    this.flushed.unsafeClose()
    this.written.unsafeOpen()
  }

  private isBehind(): boolean {
    return this.fence !== null && (this.acked < this.log.written || this.told !== this.log.standing)
  }

  /** Sends what is written, a batch at a time: what comes meanwhile is the next batch. Ends with the lease. */
  private get deliver(): Effect.Effect<void> {
    const term = this.terms
    return Effect.gen(this, function* () {
      while (this.term() === term) {
        yield* this.written.await
        this.written.unsafeClose()
        while (this.isBehind()) yield* this.deliverBatch
        this.flushed.unsafeOpen()
      }
    })
  }

  private get deliverBatch(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { fence, log } = this
      if (fence === null) return Effect.void
      const standing = log.standing
      const after = this.acked
      const { text, last } = log.batchAfter(after)
      const append = { fence, after, last, batch: text, running: standing.status === "running" }
      return Effect.flatMap(this.insist(this.options.store.append(this.options.key, append)), (result) => {
        switch (result._tag) {
          case "Ok":
            return Effect.sync(() => this.settle(last, standing))
          case "At":
            // It had arrived, and only the answer to it was lost.
            if (result.seq === last) return Effect.sync(() => this.settle(last, standing))
            if (result.seq > last) return this.depose
            return Effect.sync(() => {
              this.acked = result.seq
              log.redefine()
            })
          case "Fenced":
          case "Gone":
            return this.restore
        }
      })
    })
  }

  private settle(last: number, standing: Standing): void {
    this.acked = last
    this.told = standing
    this.log.confirm(last)
  }

  /**
   * The store has forgotten the session, and somebody has claimed it since, perhaps: whoever finds the store empty
   * does not know better. What runs here goes on where the database says that it is this node's.
   */
  private get restore(): Effect.Effect<void> {
    const { store, key, self, newEpoch, user } = this.options
    return Effect.gen(this, function* () {
      const { log } = this
      const { status, runId, runStart } = log.standing
      const seq = status === "running" ? Math.min(runStart - 1, log.lastSeq) : log.lastSeq
      const claim = { self, dead: null, epoch: log.epoch, seq, known: { epoch: "", seq: 0 } }
      const claimed = yield* this.insist(
        store.claim(key, claim).pipe(
          // Somebody who finds that this node runs the session gives it back at once.
          Effect.tap(({ _tag }) => (_tag === "Held" ? Effect.sleep("100 millis") : Effect.void)),
          Effect.repeat({ while: ({ _tag }) => _tag === "Held", times: reclaims })
        )
      )
      if (claimed._tag === "Held") return yield* this.depose
      // Nobody has told anything since.
      const isOurs = claimed.epoch === log.epoch && claimed.seq <= this.acked && log.has(claimed.seq)
      const open = status === "running" ? runId : this.told.status === "running" ? this.told.runId : null
      const stored = open === null ? "done" : yield* this.insist(user.statusHere(open))
      if (stored === null || stored === "lost") {
        return yield* Effect.zipRight(this.depose, this.release(claimed.fence))
      }
      if (isOurs) return this.goOn(claimed)
      const epoch = newEpoch()
      const instead = { epoch: claimed.epoch, seq: Number.MAX_SAFE_INTEGER }
      const own = yield* this.insist(store.claim(key, { ...claim, epoch, known: instead }))
      if (own._tag === "Held") return yield* this.depose
      // Others have told frames that are not known here. A run in progress goes on under an epoch of its own; the
      // end of a run cannot be told to them any more: what is stored, to be read again for the new epoch, says it.
      if (stored !== "running") return yield* Effect.zipRight(this.depose, this.release(own.fence))
      log.rename(epoch)
      this.goOn(own)
    })
  }

  private goOn({ fence, seq }: Extract<Claimed, { readonly _tag: "Yours" }>): void {
    this.fence = fence
    this.acked = seq
    this.log.redefine()
  }

  /** Somebody else runs the session now. */
  private get depose(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.fence = null
      this.log.rewind(this.told)
      this.log.share(null)
      this.flushed.unsafeOpen()
      this.options.fork(this.options.user.onDeposed)
      if (this.following) this.refresh()
      return Effect.logInfo(`session ${this.options.key} is run by another node now`)
    })
  }

  get delivered(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.fence === null) return Effect.void
      this.log.flush()
      return this.flushed.await
    })
  }

  get letGo(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const fence = this.fence
      const pump = this.pump
      if (fence === null) return Effect.succeed(true)
      this.log.flush()
      if (this.isBehind()) return Effect.succeed(false)
      this.fence = null
      this.pump = null
      this.log.rewind(this.told)
      this.log.share(null)
      // A holder that lives is not taken over from: until the store knows, nobody else could run the session.
      return Effect.zipRight(
        pump === null ? Effect.void : Fiber.interruptFork(pump),
        Effect.as(Effect.forkIn(this.release(fence), this.options.scope), true)
      )
    }).pipe(Effect.uninterruptible)
  }

  get giveBack(): Effect.Effect<void> {
    const { store, key, self, newEpoch } = this.options
    return Effect.gen(this, function* () {
      if (this.fence !== null) return
      const known = { epoch: "", seq: 0 }
      const claimed = yield* store.claim(key, { self, dead: null, epoch: newEpoch(), seq: 0, known })
      if (claimed._tag === "Yours") yield* this.release(claimed.fence)
    }).pipe(Effect.catchAll((error) => Effect.logDebug("a lease was not given back", error.cause)))
  }

  private release(fence: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.releasing += 1
      return Effect.ensuring(
        this.insist(this.options.store.release(this.options.key, fence)),
        Effect.sync(() => {
          this.releasing -= 1
        })
      )
    })
  }

  notify(json: string): Effect.Effect<void> {
    return this.options.store
      .note(this.options.key, json)
      .pipe(Effect.catchAll((error) => Effect.logDebug("nobody was notified", error.cause)))
  }

  get followedElsewhere(): Effect.Effect<boolean> {
    return this.options.store.followers(this.options.key).pipe(
      Effect.map((count) => count > (this.following ? 1 : 0)),
      // Not known: nothing is ended for it.
      Effect.orElseSucceed(() => true)
    )
  }

  get follow(): Effect.Effect<void, never, Scope.Scope> {
    const { store, key } = this.options
    return Effect.gen(this, function* () {
      this.following = true
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          this.following = false
        })
      )
      yield* store.follow(key, {
        heard: (batch) => {
          if (this.fence === null && this.log.ingest(batch) !== "taken") this.refresh()
        },
        noted: (json) => this.log.notice(json),
        began: () => this.refresh()
      })
      yield* this.catchUp
    })
  }

  get catchUp(): Effect.Effect<void> {
    return this.reload.pipe(Effect.interruptible, Effect.timeout(patience), Effect.ignore)
  }

  /** Reads what was not heard. */
  refresh(): void {
    if (this.loading) {
      this.loadAgain = true
      return
    }
    this.loading = true
    const once = Effect.suspend(() => {
      this.loadAgain = false
      return Effect.suspend(() => (this.following ? this.reload : Effect.void))
    })
    this.options.fork(
      this.insist(once).pipe(
        Effect.repeat({ while: () => this.loadAgain }),
        Effect.ensuring(
          Effect.sync(() => {
            this.loading = false
          })
        ),
        Effect.asVoid
      )
    )
  }

  /** Makes the log what the store has. One at a time: each looks at what the one before has read. */
  private get reload(): Effect.Effect<void, RedisError> {
    const { store, key } = this.options
    return this.reading.withPermits(1)(
      Effect.gen(this, function* () {
        const { log } = this
        const tail = yield* store.read(key, log.written)
        if (Option.isNone(tail) || this.fence !== null) return
        const { epoch, seq, batches } = tail.value
        const isSame = epoch === log.epoch
        // The store has lost what was read here: whoever writes will send it again, or begin a new epoch.
        if (isSame && seq < log.written) return
        if (isSame && batches.every((batch) => log.ingest(batch) === "taken") && log.written >= seq) return
        const all = yield* store.read(key, 0)
        if (Option.isNone(all) || this.fence !== null) return
        log.replace(all.value.epoch, all.value.seq, all.value.batches)
      })
    )
  }

  /** Tries until it is answered; the log of the server hears of it once. */
  private insist<A>(effect: Effect.Effect<A, RedisError | StorageError>): Effect.Effect<A> {
    let isKnown = false
    return effect.pipe(
      Effect.tapError((error) => {
        if (isKnown) return Effect.void
        isKnown = true
        return Effect.logWarning("a store that sessions need does not answer", error.cause)
      }),
      Effect.retry(again),
      Effect.orDie
    )
  }
}
