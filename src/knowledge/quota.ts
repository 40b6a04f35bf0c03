/** How much one user may keep, and how many uploads of theirs may be under way in this process. */
import * as Effect from "effect/Effect"
import { QuotaExceeded } from "./refusals.ts"

export interface Quota {
  readonly files: number
  readonly bytes: number
  readonly uploads: number
}

export const usualQuota: Quota = { files: 2_000, bytes: 2 * 1024 * 1024 * 1024, uploads: 4 }

export interface Usage {
  readonly files: number
  readonly bytes: number
}

/** What is left for one more file. */
export const roomFor = (quota: Quota, usage: Usage): Effect.Effect<number, QuotaExceeded> => {
  if (usage.files >= quota.files) {
    const reason = `you keep ${usage.files} files, and ${quota.files} are allowed: delete some first`
    return Effect.fail(new QuotaExceeded({ what: "files", reason }))
  }
  const room = quota.bytes - usage.bytes
  return room > 0 ? Effect.succeed(room) : Effect.fail(noRoom(quota))
}

export const noRoom = (quota: Quota): QuotaExceeded =>
  new QuotaExceeded({
    what: "bytes",
    reason: `your files would take more than ${quota.bytes} bytes together: delete some first`
  })

/** Lets so many of one user's uploads in at a time; those beyond are refused, as nobody waits for a queue here. */
export const makeTurnstile = (quota: Quota) =>
  Effect.sync(() => {
    const active = new Map<number, number>()
    const leave = (userId: number) =>
      Effect.sync(() => {
        const left = (active.get(userId) ?? 1) - 1
        if (left <= 0) active.delete(userId)
        else active.set(userId, left)
      })
    const enter = (userId: number) =>
      Effect.suspend(() => {
        const now = active.get(userId) ?? 0
        if (now >= quota.uploads) {
          const reason = `${now} of your uploads are still going on: wait for one of them`
          return Effect.fail(new QuotaExceeded({ what: "uploads", reason }))
        }
        active.set(userId, now + 1)
        return Effect.void
      })
    return <A, E, R>(
      userId: number,
      upload: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | QuotaExceeded, R> =>
      Effect.acquireUseRelease(
        enter(userId),
        () => upload,
        () => leave(userId)
      )
  })
