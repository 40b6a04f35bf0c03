/** Build entries in this process, bounded in number. Each step is synchronous, so nobody sees half of it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BuildStore, Entry } from "./Store.ts"

/** Graphs weigh up to megabytes each. */
const capacity = 500

interface Kept extends Entry {
  readonly leaseUntil: number
  readonly expires: number
}

export const memoryStore: Effect.Effect<BuildStore> = Effect.sync(() => {
  /** The one written longest ago first. */
  const kept = new Map<string, Kept>()

  const find = (key: string, now: number): Kept | undefined => {
    const entry = kept.get(key)
    if (entry === undefined || entry.expires > now) return entry
    kept.delete(key)
    return undefined
  }

  const keep = (key: string, entry: Kept): void => {
    kept.delete(key)
    kept.set(key, entry)
    for (const oldest of kept.keys()) {
      if (kept.size <= capacity) break
      kept.delete(oldest)
    }
  }

  const isBuilding = (entry: Kept, now: number): boolean =>
    entry.status === "in_progress" && entry.leaseUntil > now

  const at = <A>(step: (now: number) => A): Effect.Effect<A> => Effect.map(Clock.currentTimeMillis, step)

  /** Changes the entry of this builder, if it still is its. */
  const change = (key: string, builder: string, make: (entry: Kept, now: number) => Kept) =>
    at((now) => {
      const entry = find(key, now)
      if (entry === undefined || entry.builder !== builder || entry.status !== "in_progress") return false
      keep(key, make(entry, now))
      return true
    })

  return {
    init: (key, { graph, userId }, ttl) =>
      at((now) => {
        const entry = find(key, now)
        if (entry !== undefined && isBuilding(entry, now)) return false
        keep(key, { graph, userId, status: "started", builder: "", leaseUntil: 0, expires: now + ttl })
        return true
      }),
    claim: (key, builder, lease, ttl) =>
      at((now) => {
        const entry = find(key, now)
        if (entry === undefined) return { _tag: "Missing" }
        if (isBuilding(entry, now)) return { _tag: "Busy" }
        keep(key, { ...entry, status: "in_progress", builder, leaseUntil: now + lease, expires: now + ttl })
        return { _tag: "Yours", graph: entry.graph }
      }),
    renew: (key, builder, lease, ttl) =>
      change(key, builder, (entry, now) => ({ ...entry, leaseUntil: now + lease, expires: now + ttl })),
    finish: (key, builder, status, ttl) =>
      change(key, builder, (entry, now) => ({ ...entry, status, leaseUntil: 0, expires: now + ttl })),
    read: (key) =>
      at((now) =>
        Option.map(
          Option.fromNullable(find(key, now)),
          (entry): Entry => ({
            graph: entry.graph,
            userId: entry.userId,
            builder: entry.builder,
            status: entry.status === "in_progress" && !isBuilding(entry, now) ? "started" : entry.status
          })
        )
      )
  }
})
