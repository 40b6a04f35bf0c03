/** A session as the hub keeps it: cheap while nothing has been asked. What it promises stands at `Session`. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import type { Judge } from "../app/Judge.ts"
import type { AppError } from "../protocol/errors.ts"
import type { Address, Frame } from "../protocol/frames.ts"
import type { Ask, Reply, ResumePoint } from "../protocol/payloads.ts"
import type { ActionTable } from "../run/Actions.ts"
import type { Checkpoints } from "../run/Checkpoints.ts"
import type { Journal } from "../run/Journal.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { FrameLog } from "./FrameLog.ts"
import type { Asker, Session, StopScope } from "./Session.ts"
import type { Lease } from "./shared/Lease.ts"
import type { Request } from "./shared/Nodes.ts"
import { makeTurns, type Turns } from "./turns.ts"

/** So many of something at a time. */
export interface Slots {
  /** Takes one if there is one. */
  readonly take: () => boolean
  readonly release: () => void
}

export const slotsOf = (most: number): Slots => {
  let taken = 0
  return {
    take: () => {
      if (taken === most) return false
      taken += 1
      return true
    },
    release: () => {
      taken -= 1
    }
  }
}

/** Room for runs on this node. A run in progress holds one; the question after it inherits it. */
export interface RunSlots extends Slots {
  /** Takes one even if there is none: for a question that was accepted already. */
  readonly hold: () => void
}

/** What a session has that depends on where its app and its messages are kept. */
export interface SessionOwn {
  /** Made for the first question. */
  readonly journal: () => Journal
  readonly openApp: Effect.Effect<App, AppError | StorageError>
  /** In debug mode: the app of the graph that the client sends along. */
  readonly draft?: (data: unknown) => Effect.Effect<App, AppError | StorageError>
  /** Keeps the session alive, sockets or not, until the effect that it comes to is run. */
  readonly retain: Effect.Effect<Effect.Effect<void>>
}

/** What all sessions of a node have in common: one object for all of them. */
export interface NodeOptions {
  /** This node among all that ever were. */
  readonly self: string
  /** Whether that node's runs are nobody's any more. */
  readonly isDead: (node: string) => Effect.Effect<boolean>
  /** Asks another node to do something about the session; none where it does not answer. */
  readonly askAt: (node: string, request: Request) => Effect.Effect<Option.Option<boolean>>
  /** No run is begun any more. */
  readonly draining: () => boolean
  /** For runs that begin while their question is accepted. In a crowd they would only be in the way of each other. */
  readonly headStarts: Slots
  readonly actions: ActionTable
  readonly judge: typeof Judge.Service
  readonly checkpoints: typeof Checkpoints.Service
  readonly slots: RunSlots
  readonly maxQueued: number
  readonly orphanTimeout: Duration.Duration
  /** How long a run waits for a person. */
  readonly waitLimit: Duration.Duration
}

/** What is this session's alone. */
export interface OwnOptions {
  readonly address: Address
  readonly userId: number
  readonly log: FrameLog
  readonly lease: Lease
  readonly own: SessionOwn
}

export interface SessionOptions extends NodeOptions, OwnOptions {}

class LiveSession implements Session {
  readonly address: Address
  readonly userId: number
  readonly log: FrameLog
  private readonly lease: Lease
  private readonly own: SessionOwn
  private readonly node: NodeOptions
  private readonly scope: Scope.Scope
  private made: Turns | null = null
  private sockets = 0
  private following: Scope.CloseableScope | null = null
  /** Made where the session is shared. */
  private gate: Effect.Semaphore | null = null

  constructor(node: NodeOptions, { address, userId, log, lease, own }: OwnOptions, scope: Scope.Scope) {
    this.node = node
    this.address = address
    this.userId = userId
    this.log = log
    this.lease = lease
    this.own = own
    this.scope = scope
  }

  running(): string | null {
    return this.made === null ? null : this.made.running()
  }

  attend(seen: ResumePoint | null): Effect.Effect<Effect.Effect<void>> {
    return Effect.suspend(() => {
      const present = Effect.succeed(this.departure())
      if (this.lease.isShared) return Effect.zipRight(this.come(seen), present)
      // A step each that a socket need not take: nothing is to be waited for.
      this.sockets += 1
      return this.made === null ? present : Effect.zipRight(this.made.watchOrphan, present)
    })
  }

  /** Counts a socket as gone, once however often it is run. */
  private departure(): Effect.Effect<void> {
    let present = true
    return Effect.suspend(() => {
      if (!present) return Effect.void
      present = false
      this.sockets -= 1
      return this.lease.isShared ? Effect.zipRight(this.follow, this.watch) : this.watch
    })
  }

  ask(ask: Ask, asker: Asker): ReturnType<Session["ask"]> {
    return this.turns.ask(ask, asker)
  }

  reply(reply: Reply, asker: Asker): ReturnType<Session["reply"]> {
    return this.turns.reply(reply, asker)
  }

  get checkStatus(): Session["checkStatus"] {
    return this.turns.checkStatus
  }

  expire(runId: string): Effect.Effect<void> {
    return this.made === null ? Effect.void : this.made.expire(runId)
  }

  stop(scope: StopScope, runId: string | null = null): Effect.Effect<boolean> {
    // What waits may stem from before this server started: it is looked for, unless the server ends.
    if (this.made === null && scope === "drain") return Effect.succeed(false)
    return this.turns.stop(scope, runId)
  }

  get resume(): Effect.Effect<void> {
    return Effect.suspend(() => this.turns.resume)
  }

  get look(): Effect.Effect<void> {
    return Effect.suspend(() => this.turns.look)
  }

  takeOver(runId: string | null): Effect.Effect<void> {
    return this.turns.takeOver(runId)
  }

  tellEnd(runId: string): Effect.Effect<void> {
    return this.turns.tellEnd(runId)
  }

  notify(frame: Frame): Effect.Effect<void> {
    const { lease, log } = this
    const json = JSON.stringify(frame)
    return lease.isShared ? lease.notify(json) : Effect.sync(() => log.notice(json))
  }

  get depose(): Effect.Effect<void> {
    return Effect.suspend(() => (this.made === null ? Effect.void : this.made.depose))
  }

  get clearHistory(): Effect.Effect<void, StorageError> {
    return this.turns.clearHistory
  }

  private get turns(): Turns {
    if (this.made === null) {
      const { address, userId, log, lease } = this
      const options = { ...this.node, address, userId, log, lease, own: this.own }
      this.made = makeTurns(options, this.scope, () => this.sockets)
    }
    return this.made
  }

  /** The first socket makes this node follow what others tell, and waits for what they have told. */
  private come(seen: ResumePoint | null): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.sockets += 1
      return Effect.zipRight(this.catchUp(seen), this.watch)
    })
  }

  private catchUp(seen: ResumePoint | null): Effect.Effect<void> {
    const { lease, log } = this
    return Effect.flatMap(this.follow, () =>
      seen !== null && seen.epoch === log.epoch && seen.lastSeq > log.written ? lease.catchUp : Effect.void
    )
  }

  /** To be run when a socket has come or gone. */
  private get watch(): Effect.Effect<void> {
    return Effect.suspend(() => (this.made === null ? Effect.void : this.made.watchOrphan))
  }

  /** Follows as long as there are sockets. */
  private get follow(): Effect.Effect<void> {
    const turn = Effect.suspend(() => {
      const following = this.following
      if (this.sockets === 0 && following !== null) {
        this.following = null
        return Scope.close(following, Exit.void)
      }
      if (this.sockets === 0 || following !== null) return Effect.void
      return Effect.flatMap(Scope.fork(this.scope, ExecutionStrategy.sequential), (scope) => {
        this.following = scope
        return Scope.extend(this.lease.follow, scope)
      })
    })
    this.gate ??= Effect.unsafeMakeSemaphore(1)
    return Effect.uninterruptible(this.gate.withPermits(1)(turn))
  }
}

/** What the session runs lives in the scope. */
export const makeSession = (scope: Scope.Scope, node: NodeOptions, own: OwnOptions): Session =>
  new LiveSession(node, own, scope)
