/** While a run goes on without any socket, on any node, its time is limited. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { SessionOptions } from "./makeSession.ts"
import type { Runner } from "./Runner.ts"

export interface OrphanWatchOptions {
  readonly session: SessionOptions
  readonly runner: Runner
  readonly scope: Scope.Scope
  /** How many are following here. */
  readonly sockets: () => number
}

export class OrphanWatch {
  private readonly options: OrphanWatchOptions
  private watching: Fiber.RuntimeFiber<void> | null = null

  constructor(options: OrphanWatchOptions) {
    this.options = options
  }

  /** Begins to watch the run in progress where nobody follows it here, and ends what was watched before. */
  get look(): Effect.Effect<void> {
    const { session, runner, scope, sockets } = this.options
    const { lease, orphanTimeout } = session
    return Effect.suspend(() => {
      const before = this.watching
      this.watching = null
      const called = before === null ? Effect.void : Fiber.interruptFork(before)
      const { active } = runner
      if (sockets() > 0 || active === null) return called
      const patience = active.turn.app.onDisconnect === "cancel" ? 0 : orphanTimeout
      const watch = Effect.delay(lease.followedElsewhere, patience).pipe(
        Effect.repeat({ while: (followed) => followed, schedule: Schedule.spaced("5 seconds") }),
        Effect.zipRight(runner.interrupt(active.turn.runId)),
        Effect.asVoid,
        Effect.interruptible,
        Effect.forkIn(scope)
      )
      return Effect.zipRight(
        called,
        Effect.map(watch, (fiber) => {
          this.watching = fiber
        })
      )
    })
  }
}
