/**
 * Statements that wait for the database's answer. A connection that died without a word never gives one: the driver
 * would wait until the kernel gives up, a quarter of an hour later.
 */
import { performance } from "node:perf_hooks"
import { Duplex } from "node:stream"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

interface Statement {
  readonly connection: object
  /** Milliseconds, by a clock that does not leap. */
  readonly since: number
}

export class Unanswered {
  private readonly patience: Duration.Duration
  /** Oldest first. */
  private readonly statements = new Set<Statement>()
  /** Open where there are some: otherwise nobody has to look. */
  private readonly some = Effect.unsafeMakeLatch(false)

  private constructor(patience: Duration.Duration) {
    this.patience = patience
  }

  /** Gives up, as long as the scope is open, what has waited for longer than `patience`, and its connection. */
  static readonly make = (patience: Duration.Duration): Effect.Effect<Unanswered, never, Scope.Scope> =>
    Effect.suspend(() => {
      const unanswered = new Unanswered(patience)
      return Effect.as(Effect.forkScoped(Effect.interruptible(unanswered.watch)), unanswered)
    })

  /** A statement is on its way; to be called when its answer has come. */
  sent(connection: object): () => void {
    const statement = { connection, since: performance.now() }
    this.statements.add(statement)
    this.some.unsafeOpen()
    return () => this.statements.delete(statement)
  }

  private get watch(): Effect.Effect<never> {
    return this.some.await.pipe(
      Effect.zipRight(Effect.sleep(Duration.times(this.patience, 0.1))),
      Effect.zipRight(Effect.sync(() => this.look())),
      Effect.forever
    )
  }

  private look(): void {
    if (this.statements.size === 0) this.some.unsafeClose()
    const before = performance.now() - Duration.toMillis(this.patience)
    for (const { connection, since } of this.statements) {
      if (since > before) return
      // The driver hears of it as of any line that breaks: the statement fails, the connection leaves its pool.
      if (hasStream(connection)) {
        const reason = `the database has not answered for ${Duration.format(this.patience)}`
        connection.stream.destroy(new Error(reason))
      }
    }
  }
}

/** The driver's types do not tell of it. */
const hasStream = (connection: object): connection is { readonly stream: Duplex } =>
  "stream" in connection && connection.stream instanceof Duplex
