/** Ends one run, on whichever node it lives. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { Hub } from "../session/Hub.ts"
import type { Session } from "../session/Session.ts"
import { Runs } from "../storage/Runs.ts"
import type { Run } from "../storage/rows.ts"
import { notFound, Refused } from "./Refused.ts"

/** It was not where it was looked for: it moves from the queue to a node, or from one node to another. */
class OnTheMove extends Data.TaggedError("OnTheMove") {}

const lookAgain = Schedule.spaced("100 millis")
const patience = "10 seconds"

const noAnswer = new Refused({
  status: 503,
  text: "the node that runs it does not answer; try again",
  retryAfterSeconds: 2
})

export const hasEnded = ({ status }: Run): boolean =>
  status !== "queued" && status !== "running" && status !== "waiting_input"

/** What came of it. `unbegun`: it had not begun, and was taken out of the queue. */
export interface Stopped {
  readonly stopped: boolean
  readonly unbegun: boolean
}

export const makeStopRun = Effect.gen(function* () {
  const hub = yield* Hub
  const runs = yield* Runs

  /** The session of a run, current, for as long as `use` takes. */
  const inSessionOf = <A, E>(run: Run, use: (session: Session) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const session = yield* hub.open({ flowId: run.flow_id, chatId: run.chat_id }, run.user_id)
      yield* Effect.acquireRelease(session.attend(null), (depart) => depart)
      return yield* use(session)
    }).pipe(
      // Deleted meanwhile, and its runs with it.
      Effect.catchTag("NotYours", () => Effect.fail(notFound("run"))),
      Effect.scoped
    )

  const attempt = (session: Session, runId: string) =>
    Effect.gen(function* () {
      if (yield* session.stop("run", runId)) return true
      const now = yield* runs.get(runId)
      if (Option.isNone(now) || hasEnded(now.value)) return false
      return yield* new OnTheMove()
    })

  return (run: Run) =>
    inSessionOf(run, (session) =>
      Effect.gen(function* () {
        const stopped = yield* attempt(session, run.id).pipe(
          Effect.retry({ schedule: lookAgain, while: ({ _tag }) => _tag === "OnTheMove" }),
          Effect.catchTag("OnTheMove", () => noAnswer),
          Effect.timeoutFail({ duration: patience, onTimeout: () => noAnswer })
        )
        const now = stopped ? yield* runs.get(run.id) : Option.none()
        const outcome: Stopped = {
          stopped,
          unbegun: Option.exists(now, ({ start_time }) => start_time === null)
        }
        return outcome
      })
    )
})
