/** Built apps in this process, bounded by count and idle time. One edition of each is kept: the newest asked for. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { AppNotBuilt } from "../protocol/errors.ts"
import type { App } from "./App.ts"

const capacity = 1000
/** Milliseconds. */
const idleTime = 60 * 60 * 1000

interface Kept {
  readonly edition: string
  /** Done when it is built; whoever asks meanwhile waits for it. */
  readonly app: Deferred.Deferred<App, AppNotBuilt>
  /** What it is done with: to ask it, or to wait for nothing, takes more of the interpreter's steps than all the rest. */
  built: Effect.Effect<App> | null
  usedAt: number
}

/** `edition` names one state of what is built: the same state has the same, a changed one another. */
export interface KeptApps {
  /** The app of this edition, built now if it is not kept. */
  readonly get: (
    key: string,
    edition: string,
    build: Effect.Effect<App, AppNotBuilt>
  ) => Effect.Effect<App, AppNotBuilt>
  /** The same where it is kept; `otherwise` what is not. */
  readonly known: <E>(
    key: string,
    edition: string,
    otherwise: Effect.Effect<App, E>
  ) => Effect.Effect<App, AppNotBuilt | E>
}

export const makeKeptApps: Effect.Effect<KeptApps> = Effect.sync(() => {
  /** By key, the one used longest ago first. Not Effect's Cache: it remembers every access until it is full. */
  const kept = new Map<string, Kept>()

  const find = (key: string, edition: string, now: number): Kept | undefined => {
    const known = kept.get(key)
    if (known === undefined || known.edition !== edition) return undefined
    return now - known.usedAt > idleTime ? undefined : known
  }

  const keep = (key: string, entry: Kept): void => {
    kept.delete(key)
    kept.set(key, entry)
    for (const oldest of kept.keys()) {
      if (kept.size <= capacity) break
      kept.delete(oldest)
    }
  }

  const known = <E>(key: string, edition: string, otherwise: Effect.Effect<App, E>) =>
    Clock.clockWith((clock): Effect.Effect<App, AppNotBuilt | E> => {
      const now = clock.unsafeCurrentTimeMillis()
      const found = find(key, edition, now)
      if (found === undefined) return otherwise
      found.usedAt = now
      keep(key, found)
      return found.built ?? Deferred.await(found.app)
    })

  const built = (key: string, edition: string, build: Effect.Effect<App, AppNotBuilt>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const app = Deferred.unsafeMake<App, AppNotBuilt>(FiberId.none)
      const entry: Kept = { app, edition, built: null, usedAt: now }
      keep(key, entry)
      return build.pipe(
        Effect.tap((made) => {
          entry.built = Effect.succeed(made)
        }),
        // A failure is not kept: what was missing may be there at the next attempt.
        Effect.onError(() =>
          Effect.sync(() => {
            if (kept.get(key)?.app === app) kept.delete(key)
          })
        ),
        Effect.intoDeferred(app),
        // A caller that leaves in the middle of a build must not take along all who wait for it.
        Effect.forkDaemon,
        Effect.zipRight(Deferred.await(app))
      )
    })

  return { known, get: (key, edition, build) => known(key, edition, built(key, edition, build)) }
})
