/**
 * What the holder of a lease does whose frames the store does not take any more: it was emptied, or somebody else has
 * claimed the session. Whoever finds the store empty does not know better, so that the holder asks for the session again;
 * what runs there goes on where the database says that it is this node's.
 */
import * as Effect from "effect/Effect"
import type { Standing } from "../batch.ts"
import type { FrameLog } from "../FrameLog.ts"
import { insist } from "../insist.ts"
import type { LeaseUser } from "./LeaseUser.ts"
import type { LogStoreService, Yours } from "./LogStore.ts"

/** How often a lease is asked back that somebody else has got. */
const reclaims = 30

export interface ReclaimOptions {
  readonly store: LogStoreService
  readonly key: string
  readonly self: string
  readonly log: FrameLog
  readonly newEpoch: () => string
  readonly user: LeaseUser
  /** When the lease was asked for. */
  readonly since: Date
  /** How things stood as the store had it, and the last number that it had. */
  readonly told: Standing
  readonly reached: number
}

/**
 * `Theirs`: another node runs the session. `Left`: nobody does, and there is nothing here to go on with; the lease is to be
 * given back. `Ours`: what the store lacks is to be told again, under that epoch, after that number.
 */
export type Reclaimed =
  | { readonly _tag: "Theirs" }
  | { readonly _tag: "Left"; readonly fence: string }
  | { readonly _tag: "Ours"; readonly own: Yours }

const theirs: Reclaimed = { _tag: "Theirs" }

export const reclaim = Effect.fnUntraced(function* (options: ReclaimOptions) {
  const { store, key, self, log, newEpoch, user, since, told, reached } = options
  const { status } = log.standing
  const open = status === "running" ? log.standing : told.status === "running" ? told : null
  const seq = open === null ? log.lastSeq : Math.min(open.runStart - 1, log.lastSeq)
  const known = { epoch: "", seq: 0 }
  const claim = { self, dead: null, epoch: log.epoch, seq, known, continues: true }
  const claimed = yield* insist(
    "claiming a session back",
    store.claim(key, claim).pipe(
      // Somebody who finds that this node runs the session gives it back at once.
      Effect.tap(({ _tag }) => (_tag === "Held" ? Effect.sleep("100 millis") : Effect.void)),
      Effect.repeat({ while: ({ _tag }) => _tag === "Held", times: reclaims })
    )
  )
  if (claimed._tag === "Held") return theirs
  const runId = open === null ? null : open.runId
  const stored = runId === null ? "done" : yield* insist("looking up a run", user.statusHere(runId))
  const isTakenOver = stored === null || stored === "lost"
  const isSame = claimed.epoch === log.epoch && claimed.seq <= reached && log.has(claimed.seq)
  // Whoever has ended the run has told so in what the store has.
  if (isTakenOver && !isSame) return left(claimed)
  // What others had told may be kept nowhere now: the store may have been emptied once more.
  const isSpoken = yield* insist("looking for others' runs", user.spokenSince(since, runId))
  if (isSame && !isSpoken && !isTakenOver) return ours(claimed)
  const instead = { epoch: claimed.epoch, seq: Number.MAX_SAFE_INTEGER }
  const anew = { ...claim, epoch: newEpoch(), known: instead, continues: false }
  const own = yield* insist("claiming a session anew", store.claim(key, anew))
  if (own._tag === "Held") return theirs
  // Others have told frames that are not known here, or in the store any more. A run in progress goes on under an
  // epoch of its own; the end of a run cannot be told to them any more: what is stored, to be read again for the new
  // epoch, says it.
  return stored === "running" ? ours(own) : left(own)
})

const left = ({ fence }: Yours): Reclaimed => ({ _tag: "Left", fence })

const ours = (own: Yours): Reclaimed => ({ _tag: "Ours", own })
