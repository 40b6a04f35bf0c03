/** A session as the hub keeps it: cheap while nothing has been asked. What it promises stands at `Session`. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { App } from "../app/App.ts"
import type { Judge } from "../app/Judge.ts"
import type { AppError } from "../protocol/errors.ts"
import type { Address } from "../protocol/frames.ts"
import type { Ask, Reply } from "../protocol/payloads.ts"
import type { ActionTable } from "../run/Actions.ts"
import type { Checkpoints } from "../run/Checkpoints.ts"
import type { Journal } from "../run/Journal.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { FrameLog } from "./FrameLog.ts"
import type { Asker, Session, StopScope } from "./Session.ts"
import { makeTurns, type Turns } from "./turns.ts"

/** Room for runs on this node. A run in progress holds one; the question after it inherits it. */
export interface RunSlots {
  /** Takes one if there is one. */
  readonly take: () => boolean
  /** Takes one even if there is none: for a question that was accepted already. */
  readonly hold: () => void
  readonly release: () => void
}

export interface SessionOptions {
  readonly address: Address
  readonly log: FrameLog
  /** Made for the first question. */
  readonly journal: () => Journal
  readonly actions: ActionTable
  readonly openApp: Effect.Effect<App, AppError | StorageError>
  /** In debug mode: the app of the graph that the client sends along. */
  readonly draft?: (data: unknown) => Effect.Effect<App, AppError | StorageError>
  readonly judge: typeof Judge.Service
  readonly checkpoints: typeof Checkpoints.Service
  readonly slots: RunSlots
  readonly nodeId: string
  readonly maxQueued: number
  readonly orphanTimeout: Duration.Duration
  /** How long a run waits for a person. */
  readonly waitLimit: Duration.Duration
  /** Keeps the session alive until the scope closes, sockets or not. */
  readonly retain: Effect.Effect<unknown, never, Scope.Scope>
}

class LiveSession implements Session {
  private readonly options: SessionOptions
  private readonly scope: Scope.Scope
  private made: Turns | null = null
  private sockets = 0

  constructor(options: SessionOptions, scope: Scope.Scope) {
    this.options = options
    this.scope = scope
  }

  get address(): Address {
    return this.options.address
  }

  get log(): FrameLog {
    return this.options.log
  }

  activeRun(): string | null {
    return this.made === null ? null : this.made.activeRun()
  }

  status(): "idle" | "running" | "waiting" {
    return this.made === null ? "idle" : this.made.status()
  }

  get attend(): Effect.Effect<Effect.Effect<void>> {
    return Effect.map(this.count(1), () => {
      let present = true
      return Effect.suspend(() => {
        if (!present) return Effect.void
        present = false
        return this.count(-1)
      })
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

  stop(scope: StopScope): Effect.Effect<boolean> {
    // What waits may stem from before this server started: it is looked for, unless the server ends.
    if (this.made === null && scope === "drain") return Effect.succeed(false)
    return this.turns.stop(scope)
  }

  get clearHistory(): Effect.Effect<void, StorageError> {
    return this.turns.clearHistory
  }

  private get turns(): Turns {
    this.made ??= makeTurns(this.options, this.scope, () => this.sockets)
    return this.made
  }

  private count(by: 1 | -1): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.sockets += by
      return this.made === null ? Effect.void : this.made.watchOrphan
    })
  }
}

/** What the session runs lives in the scope. */
export const makeSession = (options: SessionOptions): Effect.Effect<Session, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => new LiveSession(options, scope))
