/**
 * What the holder of a lease has written, on its way to the store: a batch at a time, what comes meanwhile is the next
 * one. Frames may be read when the store has them.
 *
 * Plain code: every token of a shared session passes here.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Standing } from "../batch.ts"
import type { FrameLog } from "../FrameLog.ts"
import { insist } from "../insist.ts"
import { type Append, type AppendAnswer, appending, type LogStoreService } from "./LogStore.ts"

export interface DeliveryOptions {
  readonly store: LogStoreService
  readonly key: string
  readonly log: FrameLog
  /** null: nothing may be sent at the moment. */
  readonly fence: () => string | null
  /** Runs from outside of any fiber. */
  readonly fork: (effect: Effect.Effect<void>) => void
  /** The store knows nothing of the session, or somebody else has claimed it. */
  readonly onLost: Effect.Effect<void>
  /** Somebody else has told more than this node. */
  readonly onOvertaken: Effect.Effect<void>
}

export class Delivery {
  private readonly options: DeliveryOptions
  private readonly log: FrameLog
  private acked = 0
  private toldStanding: Standing
  private isSending = false
  private readonly flushed = Effect.unsafeMakeLatch(true)

  constructor(options: DeliveryOptions) {
    this.options = options
    this.log = options.log
    this.toldStanding = options.log.standing
  }

  /** The last number that the store has. */
  get reached(): number {
    return this.acked
  }

  /** How things stand as the store has it. */
  get told(): Standing {
    return this.toldStanding
  }

  get isBehind(): boolean {
    return (
      this.options.fence() !== null &&
      (this.acked < this.log.written || this.toldStanding !== this.log.standing)
    )
  }

  /** A lease begins: the store has all that is written. */
  restart(seq: number): void {
    this.acked = seq
    this.toldStanding = this.log.standing
  }

  /** The store has nothing after `seq`, and no reader of it knows any bubble. */
  goBack(seq: number): void {
    this.acked = seq
    this.log.redefine()
  }

  /** The lease is over. */
  end(): void {
    this.flushed.unsafeOpen()
  }

  /** Waits until the store has everything that is written, or the lease is over. */
  get done(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.log.flush()
      return this.flushed.await
    })
  }

  /** There may be something to send. */
  push(): void {
    if (!this.isBehind) return
    this.flushed.unsafeClose()
    if (!this.isSending) this.send()
  }

  private send(): void {
    const { log } = this
    const fence = this.options.fence()
    if (fence === null || !this.isBehind) {
      this.isSending = false
      this.flushed.unsafeOpen()
      return
    }
    this.isSending = true
    const { standing } = log
    const after = this.acked
    const { text, last } = log.batchAfter(after)
    const append = { fence, after, last, batch: text, running: standing.status === "running" }
    this.options.store.append(this.options.key, append, (answer) => {
      if (Either.isRight(answer) && answer.right._tag === "Ok") {
        this.settle(last, standing)
        this.send()
      } else this.options.fork(this.sort(append, standing, answer))
    })
  }

  private settle(last: number, standing: Standing): void {
    this.acked = last
    this.toldStanding = standing
    this.log.confirm(last)
  }

  /** What was sent is not simply there: finds out how things stand, and goes on. */
  private sort(append: Append, standing: Standing, answer: AppendAnswer): Effect.Effect<void> {
    const { store, key, onLost, onOvertaken } = this.options
    const { last } = append
    return (
      Either.isRight(answer)
        ? Effect.succeed(answer.right)
        : insist("sending frames to the store", appending(store, key, append))
    ).pipe(
      Effect.flatMap((result) => {
        switch (result._tag) {
          case "Ok":
            return Effect.sync(() => this.settle(last, standing))
          case "At":
            // It had arrived, and only the answer to it was lost.
            if (result.seq === last) return Effect.sync(() => this.settle(last, standing))
            return result.seq > last ? onOvertaken : Effect.sync(() => this.goBack(result.seq))
          case "Fenced":
          case "Gone":
            return onLost
        }
      }),
      Effect.zipRight(Effect.sync(() => this.send()))
    )
  }
}
