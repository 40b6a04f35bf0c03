/**
 * The sessions (or whatever `A` is) that more than one may hold, by key: made for the first who asks, kept while anyone holds them and
 * for a while after, the one that has been idle longest given up first where there are too many.
 *
 * Not Effect's RcMap: that keeps a fiber and a timer for every session that was ever let go of (8 KB each after ten
 * thousand clients had reconnected), forks a fiber to make one, and must be asked for all its keys to find an
 * idle one. Here one fiber looks through the idle ones, which stand in the order in which they became so.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"

export interface KeptOptions {
  readonly keepIdle: Duration.DurationInput
  /** Where there are as many, idle ones go. */
  readonly most: number
}

/** How late an idle session may go. */
const lookEvery = "10 seconds"

/** Given up in one go, and how long others have the event loop between two of them. */
const atOnce = 64
const breath = "1 millis"

class Kept<A> {
  readonly key: string
  readonly scope: Scope.CloseableScope
  /** Null while it is being made. */
  session: A | null = null
  /** Done when it is made; only where somebody waits for that. */
  made: Deferred.Deferred<A> | null = null
  holders = 1
  /** When the last one let go of it. */
  idleSince = 0

  constructor(key: string, scope: Scope.CloseableScope) {
    this.key = key
    this.scope = scope
  }
}

export class KeptSessions<A> {
  private readonly byKey = new Map<string, Kept<A>>()
  /** Held by nobody, the longest idle first. */
  private readonly idle = new Set<Kept<A>>()
  private readonly keepIdle: number
  private readonly most: number

  private constructor(options: KeptOptions) {
    this.keepIdle = Duration.toMillis(options.keepIdle)
    this.most = options.most
  }

  /** All sessions end with the scope. */
  static make<A>(options: KeptOptions): Effect.Effect<KeptSessions<A>, never, Scope.Scope> {
    return Effect.gen(function* () {
      const kept = yield* Effect.acquireRelease(
        Effect.sync(() => new KeptSessions<A>(options)),
        (kept) => kept.drop(() => true)
      )
      yield* kept.look.pipe(Effect.repeat(Schedule.spaced(lookEvery)), Effect.forkScoped)
      return kept
    })
  }

  /** The session of this key, held until the scope closes; null where there is none. */
  find(key: string): Effect.Effect<A | null, never, Scope.Scope> {
    return Effect.flatMap(Effect.scope, (holder) => this.findFor(holder, key))
  }

  /** The same, held until `holder` closes: who has a scope at hand need not put it where `find` looks for it. */
  findFor(holder: Scope.Scope, key: string): Effect.Effect<A | null> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        const known = this.byKey.get(key)
        return known === undefined ? Effect.succeed(null) : this.keepFor(holder, this.take(known))
      })
    )
  }

  has(key: string): boolean {
    return this.byKey.has(key)
  }

  /**
   * The session of this key, held until the scope closes; `make` makes it, in a scope of its own, where there is
   * none. Of several who ask at once all get the same.
   */
  hold(key: string, make: Effect.Effect<A, never, Scope.Scope>): Effect.Effect<A, never, Scope.Scope> {
    return Effect.flatMap(Effect.scope, (holder) =>
      this.holdFor(holder, key, (scope) => Scope.extend(make, scope))
    )
  }

  /** Keeps the session of this key, if there is one, until the effect that this comes to is run, once. */
  retain(key: string): Effect.Effect<Effect.Effect<void>> {
    return Effect.sync(() => {
      const known = this.byKey.get(key)
      return known === undefined ? Effect.void : this.letGo(this.take(known))
    })
  }

  /** The same, held until `holder` closes, and `make` is told its scope. */
  holdFor(
    holder: Scope.Scope,
    key: string,
    make: (scope: Scope.Scope) => Effect.Effect<A>
  ): Effect.Effect<A> {
    return Effect.uninterruptible(Effect.flatMap(this.begin(key, make), (kept) => this.keepFor(holder, kept)))
  }

  private keepFor(holder: Scope.Scope, kept: Kept<A>): Effect.Effect<A> {
    return Effect.zipRight(Scope.addFinalizer(holder, this.letGo(kept)), sessionOf(kept))
  }

  /** They are found no more; those that are held end when they are let go of. */
  drop(which: (session: A) => boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      const dropped = [...this.byKey.values()].filter(({ session }) => session !== null && which(session))
      return Effect.forEach(dropped, (kept) => this.forget(kept), { discard: true })
    })
  }

  private begin(key: string, make: (scope: Scope.Scope) => Effect.Effect<A>): Effect.Effect<Kept<A>> {
    return Effect.flatMap(Scope.make(), (scope) => {
      const known = this.byKey.get(key)
      if (known !== undefined) return Effect.succeed(this.take(known))
      const kept = new Kept<A>(key, scope)
      this.byKey.set(key, kept)
      const making = Effect.suspend(() => make(scope))
      const isRoom = this.byKey.size <= this.most
      return Effect.matchCauseEffect(isRoom ? making : Effect.zipRight(this.makeRoom, making), {
        onSuccess: (session) => {
          kept.session = session
          const { made } = kept
          kept.made = null
          return made === null ? Effect.succeed(kept) : Effect.as(Deferred.succeed(made, session), kept)
        },
        onFailure: (cause) => {
          this.byKey.delete(key)
          const waiting = kept.made === null ? Effect.void : Deferred.failCause(kept.made, cause)
          return waiting.pipe(
            Effect.zipRight(Scope.close(scope, Exit.failCause(cause))),
            Effect.zipRight(Effect.failCause(cause))
          )
        }
      })
    })
  }

  private take(kept: Kept<A>): Kept<A> {
    kept.holders += 1
    this.idle.delete(kept)
    return kept
  }

  private letGo(kept: Kept<A>): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      kept.holders -= 1
      if (kept.holders > 0) return Effect.void
      if (this.byKey.get(kept.key) !== kept) return Scope.close(kept.scope, Exit.void)
      kept.idleSince = now
      this.idle.add(kept)
      return Effect.void
    })
  }

  private forget(kept: Kept<A>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.byKey.get(kept.key) === kept) this.byKey.delete(kept.key)
      this.idle.delete(kept)
      return kept.holders > 0 ? Effect.void : Scope.close(kept.scope, Exit.void)
    })
  }

  private get makeRoom(): Effect.Effect<void> {
    const [oldest] = this.idle
    return oldest === undefined ? Effect.void : this.forget(oldest)
  }

  /** Gives up what has been idle for too long: where a crowd has left, some in a turn of the event loop. */
  private get look(): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const over: Array<Kept<A>> = []
      for (const kept of this.idle) {
        if (kept.idleSince + this.keepIdle > now || over.length === atOnce) break
        over.push(kept)
      }
      const givenUp = Effect.forEach(
        over,
        (kept) => (this.idle.has(kept) ? this.forget(kept) : Effect.void),
        {
          discard: true
        }
      )
      return over.length < atOnce
        ? givenUp
        : Effect.zipRight(
            givenUp,
            Effect.flatMap(Effect.sleep(breath), () => this.look)
          )
    })
  }
}

const sessionOf = <A>(kept: Kept<A>): Effect.Effect<A> => {
  if (kept.session !== null) return Effect.succeed(kept.session)
  kept.made ??= Deferred.unsafeMake(FiberId.none)
  return Deferred.await(kept.made)
}
