/** A node's copy of a session's log, as long as another node writes it: what is said is heard, what was missed is read. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { RedisError } from "../../redis/RedisError.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { FrameLog } from "../FrameLog.ts"
import { insist } from "../insist.ts"
import type { Glance, LogStoreService } from "./LogStore.ts"

/** How long a socket waits for the frames of other nodes before it is given what is known here. */
const patience = "2 seconds"

/** Comparisons without a word of the run in progress, after which it is asked whether it has ended. */
const stillFor = 5

export interface FollowerOptions {
  readonly store: LogStoreService
  readonly key: string
  readonly log: FrameLog
  /** The log is written here: nothing is to be read into it. */
  readonly isWritten: () => boolean
  /** As far as was heard. */
  readonly seemsDead: (owner: string) => boolean
  /** The epoch that the session would begin with at this moment, had nobody told anything of it. */
  readonly epochNow: Effect.Effect<string, StorageError>
  /** What was told is in the store no more, and nobody writes: somebody has to look after the session. */
  readonly onForgotten: Effect.Effect<void>
  /** Runs from outside of any fiber. */
  readonly fork: (effect: Effect.Effect<void>) => void
}

export class Follower {
  private readonly options: FollowerOptions
  private readonly reading = Effect.unsafeMakeSemaphore(1)
  private following = false
  private loading = false
  private loadAgain = false
  /** What was written at the last comparison. */
  private compared = 0
  /** Comparisons since anything was written in the run in progress. */
  private still = 0
  /** What the log's epoch is to be as long as the store knows nothing of the session. */
  private first: string

  constructor(options: FollowerOptions) {
    this.options = options
    this.first = options.log.epoch
  }

  get isFollowing(): boolean {
    return this.following
  }

  /** The log begins anew, as it stands. */
  restart(): void {
    this.compared = 0
  }

  /** Reads again where the store has more than was heard. */
  compare(known: Glance | null): void {
    const { log, fork, seemsDead, onForgotten } = this.options
    const before = this.compared
    this.compared = log.written
    this.still = log.written === before && log.standing.status === "running" ? this.still + 1 : 0
    if (!this.following || this.options.isWritten()) return
    if (known === null) {
      // The store has lost the end of a run, or will be told of the run again by the node that has it.
      if (log.standing.status === "running") fork(onForgotten)
      else if (log.written > 0 || log.epoch !== this.first) this.refresh()
    } else if (known.epoch !== log.epoch || known.seq > log.written) this.refresh()
    // What was heard while the store was asked does not count. Who dies as the holder may have been about to tell again
    // what the store had lost.
    else if (known.seq < before || this.still >= stillFor || seemsDead(known.owner)) {
      this.still = 0
      fork(onForgotten)
    }
  }

  get follow(): Effect.Effect<void, never, Scope.Scope> {
    const { store, key, log, isWritten } = this.options
    return Effect.gen(this, function* () {
      this.following = true
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          this.following = false
        })
      )
      yield* store.follow(key, {
        heard: (batch) => {
          if (!isWritten() && log.ingest(batch) !== "taken") this.refresh()
        },
        noted: (json) => log.notice(json),
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
      return this.following ? this.reload : Effect.void
    })
    this.options.fork(
      insist("reading frames from the store", once).pipe(
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

  /**
   * The store knows nothing of the session. What was told while this node did not hear may be lost with it, unless
   * nothing was told at all. A run in progress will be told of again.
   */
  private get startOver(): Effect.Effect<void, StorageError> {
    const { log, epochNow, isWritten } = this.options
    if (log.standing.status === "running") return Effect.void
    return Effect.map(epochNow, (epoch) => {
      this.first = epoch
      if (isWritten() || log.standing.status === "running" || epoch === log.epoch) return
      log.replace(epoch, 0, [])
      this.compared = 0
    })
  }

  /** Makes the log what the store has. One at a time: each looks at what the one before has read. */
  get reload(): Effect.Effect<void, RedisError | StorageError> {
    const { store, key, log, isWritten } = this.options
    return this.reading.withPermits(1)(
      Effect.gen(this, function* () {
        const tail = yield* store.read(key, log.written)
        if (isWritten()) return
        if (Option.isNone(tail)) return yield* this.startOver
        const { epoch, seq, batches } = tail.value
        const isSame = epoch === log.epoch
        // The store has lost what was read here: whoever writes will send it again, or begin a new epoch.
        if (isSame && seq < log.written) return
        if (isSame && batches.every((batch) => log.ingest(batch) === "taken") && log.written >= seq) return
        const all = yield* store.read(key, 0)
        if (Option.isNone(all) || isWritten()) return
        log.replace(all.value.epoch, all.value.seq, all.value.batches)
      })
    )
  }
}
