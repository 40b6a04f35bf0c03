/**
 * The lease of a session that several nodes share. Whoever has it writes the log and sends it to the store,
 * which gives it to everybody else; frames may be read, here too, once the store has them.
 *
 * The writer's log is right about the run in progress: what the store has lost (a restart, a fail-over to a
 * copy that was behind) is sent again, with the same numbers.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RedisError } from "../../redis/RedisError.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { FrameLog } from "../FrameLog.ts"
import { insist } from "../insist.ts"
import type { Beating } from "./beating.ts"
import { Delivery } from "./Delivery.ts"
import { Follower } from "./Follower.ts"
import type { Lease } from "./Lease.ts"
import type { LeaseUser } from "./LeaseUser.ts"
import type { Glance, LogStoreService, Yours } from "./LogStore.ts"
import type { NodesService } from "./Nodes.ts"
import { reclaim } from "./reclaim.ts"

export interface SharedLeaseOptions {
  readonly store: LogStoreService
  readonly key: string
  readonly nodes: Beating & Pick<NodesService, "self">
  readonly log: FrameLog
  readonly newEpoch: () => string
  readonly user: LeaseUser
  /** What the lease does by itself lives there. */
  readonly scope: Scope.Scope
  /** Runs from outside of any fiber, in that scope. */
  readonly fork: (effect: Effect.Effect<void>) => void
}

export class SharedLease implements Lease {
  private readonly options: SharedLeaseOptions
  private readonly log: FrameLog
  private readonly follower: Follower
  private readonly delivery: Delivery
  readonly isShared = true
  private fence: string | null = null
  private terms = 0
  /** When the lease was asked for. */
  private since = new Date(0)
  private isClosed = false
  private releasing = 0
  private heldBy = ""

  constructor(options: SharedLeaseOptions) {
    this.options = options
    this.log = options.log
    const { store, key, log, user, fork } = options
    this.delivery = new Delivery({
      store,
      key,
      log,
      fence: () => (this.isClosed ? null : this.fence),
      fork: (effect) => this.begin(effect),
      onLost: Effect.suspend(() => this.restore),
      onOvertaken: Effect.suspend(() => this.depose)
    })
    this.follower = new Follower({
      store,
      key,
      log,
      fork,
      isWritten: () => this.fence !== null,
      seemsDead: options.nodes.seemsDead,
      epochNow: user.epochNow,
      onForgotten: user.onForgotten
    })
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
    return this.follower.isFollowing && this.fence === null
  }

  /** What the store knows of the session, for whoever follows it here. */
  compare(known: Glance | null): void {
    this.follower.compare(known)
  }

  get hold(): Effect.Effect<boolean> {
    return Effect.suspend(() => (this.fence === null ? this.claim : Effect.succeed(true)))
  }

  private get claim(): Effect.Effect<boolean> {
    return SharedLease.claimed(this).pipe(
      Effect.catchAll((error) =>
        Effect.as(Effect.logWarning("a session could not be claimed", error.cause), false)
      ),
      Effect.uninterruptible
    )
  }

  private static readonly claimed = Effect.fnUntraced(function* (lease: SharedLease) {
    const { store, key, newEpoch, nodes } = lease.options
    const { self } = nodes
    const { log } = lease
    yield* nodes.present
    lease.since = new Date(yield* Clock.currentTimeMillis)
    const known = { epoch: log.epoch, seq: log.written }
    const old = log.isUntouched ? log.epoch : null
    const claim = { self, dead: null, epoch: old ?? newEpoch(), seq: 0, known, continues: false }
    let claimed = yield* store.claim(key, claim)
    if (claimed._tag === "Held" && (yield* nodes.isDead(claimed.owner))) {
      claimed = yield* store.claim(key, { ...claim, dead: claimed.owner })
    }
    if (claimed._tag === "Yours") return yield* lease.enter(claimed, old)
    lease.heldBy = claimed.owner
    return false
  })

  get want(): Effect.Effect<void> {
    return this.options.store
      .want(this.options.key)
      .pipe(Effect.catchAll((error) => Effect.logWarning("a session's holder was not told", error.cause)))
  }

  /** `old`: the epoch that the session was to begin with, where it was not made up for this claim. */
  private enter(first: Yours, old: string | null): Effect.Effect<boolean, RedisError | StorageError> {
    const begun = Effect.onError(this.begunAnew(first, old), () => this.release(first.fence))
    return Effect.flatMap(begun, (own) =>
      own === null ? Effect.succeed(false) : Effect.onError(this.caughtUp(own), () => this.release(own.fence))
    )
  }

  /**
   * An epoch that something was told under, which is kept nowhere any more, must not begin again: another one does. From
   * now on nobody else tells anything. null: somebody does.
   */
  private begunAnew(own: Yours, old: string | null): Effect.Effect<Yours | null, RedisError | StorageError> {
    if (own.epoch !== old || own.seq !== 0) return Effect.succeed(own)
    const { store, key, newEpoch, user } = this.options
    const { self } = this.options.nodes
    return Effect.flatMap(user.epochNow, (now) => {
      if (now === old) return Effect.succeed(own)
      const known = { epoch: old, seq: 1 }
      const fresh = { self, dead: null, epoch: newEpoch(), seq: 0, known, continues: false }
      return Effect.map(store.claim(key, fresh), (again) => (again._tag === "Held" ? null : again))
    })
  }

  private caughtUp(own: Yours): Effect.Effect<boolean, RedisError | StorageError> {
    const { log, follower } = this
    const isBehind = () => own.epoch !== log.epoch || own.seq !== log.written
    return Effect.map(isBehind() ? follower.reload : Effect.void, () => {
      if (isBehind()) {
        log.replace(own.epoch, own.seq, [])
        follower.restart()
      }
      this.take(own.fence)
      return true
    })
  }

  private take(fence: string): void {
    this.fence = fence
    this.terms += 1
    this.delivery.restart(this.log.written)
    this.log.share({ push: () => this.delivery.push() })
  }

  /** As long as the session lives. */
  private begin(effect: Effect.Effect<void>): void {
    this.options.fork(Effect.asVoid(Effect.forkIn(Effect.interruptible(effect), this.options.scope)))
  }

  /** The session is gone from this node: nothing more is sent. */
  close(): void {
    this.isClosed = true
  }

  /** The store has forgotten the session, or somebody else has claimed it. */
  private get restore(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { told, reached } = this.delivery
      return reclaim({ ...this.options, self: this.options.nodes.self, since: this.since, told, reached })
    }).pipe(
      Effect.flatMap((it) => {
        switch (it._tag) {
          case "Theirs":
            return this.depose
          case "Left":
            return Effect.zipRight(this.depose, this.release(it.fence))
          case "Ours":
            return Effect.sync(() => this.goOn(it.own))
        }
      })
    )
  }

  private goOn({ fence, epoch, seq }: Yours): void {
    if (epoch !== this.log.epoch) this.log.rename(epoch)
    this.fence = fence
    this.delivery.goBack(seq)
  }

  /** Somebody else runs the session now. */
  private get depose(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.fence = null
      this.log.rewind(this.delivery.told)
      this.log.share(null)
      this.delivery.end()
      this.options.fork(this.options.user.onDeposed)
      if (this.follower.isFollowing) this.follower.refresh()
      return Effect.logInfo(`session ${this.options.key} is run by another node now`)
    })
  }

  get delivered(): Effect.Effect<void> {
    return Effect.suspend(() => (this.fence === null ? Effect.void : this.delivery.done))
  }

  get letGo(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const fence = this.fence
      if (fence === null) return Effect.succeed(true)
      this.log.flush()
      if (this.delivery.isBehind) return Effect.succeed(false)
      this.fence = null
      this.log.rewind(this.delivery.told)
      this.log.share(null)
      // A holder that lives is not taken over from: until the store knows, nobody else could run the session.
      return Effect.as(Effect.forkIn(this.release(fence), this.options.scope), true)
    }).pipe(Effect.uninterruptible)
  }

  get giveBack(): Effect.Effect<void> {
    const { store, key, newEpoch } = this.options
    const { self } = this.options.nodes
    return Effect.gen(this, function* () {
      if (this.fence !== null) return
      const known = { epoch: "", seq: 0 }
      const claim = { self, dead: null, epoch: newEpoch(), seq: 0, known, continues: false }
      const claimed = yield* store.claim(key, claim)
      if (claimed._tag === "Yours") yield* this.release(claimed.fence)
    }).pipe(Effect.catchAll((error) => Effect.logDebug("a lease was not given back", error.cause)))
  }

  private release(fence: string): Effect.Effect<void> {
    const { store, key, user, scope } = this.options
    return Effect.suspend(() => {
      this.releasing += 1
      return Effect.ensuring(
        insist("giving a session back", store.release(key, fence)),
        Effect.sync(() => {
          this.releasing -= 1
        })
      )
    }).pipe(
      Effect.flatMap((isWanted) =>
        isWanted ? Effect.asVoid(Effect.forkIn(Effect.interruptible(user.onWanted), scope)) : Effect.void
      )
    )
  }

  notify(json: string): Effect.Effect<void> {
    return this.options.store
      .note(this.options.key, json)
      .pipe(Effect.catchAll((error) => Effect.logDebug("nobody was notified", error.cause)))
  }

  get followedElsewhere(): Effect.Effect<boolean> {
    return this.options.store.followers(this.options.key).pipe(
      // Fewer than oneself: subscriptions are on their way, and others may be, too.
      Effect.map((count) => count !== (this.follower.isFollowing ? 1 : 0)),
      // Not known: nothing is ended for it.
      Effect.orElseSucceed(() => true)
    )
  }

  get follow(): Effect.Effect<void, never, Scope.Scope> {
    return this.follower.follow
  }

  get catchUp(): Effect.Effect<void> {
    return this.follower.catchUp
  }
}
