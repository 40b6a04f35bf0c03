import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mayRead } from "../../account/Access.ts"
import { SessionBusy, tell } from "../../protocol/errors.ts"
import { Runs } from "../../storage/Runs.ts"
import type { Run } from "../../storage/rows.ts"
import { Sessions } from "../../storage/Sessions.ts"
import { Api } from "../Api.ts"
import { makeAmendRun } from "../amendRun.ts"
import { makeAudited } from "../audited.ts"
import { business, businessOf, ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { cancelled, makeQueueNotice } from "../queueNotice.ts"
import { notFound, notYours } from "../Refused.ts"
import { makeRunViews, positionsIn } from "../runViews.ts"
import { CurrentUser } from "../SignedIn.ts"
import { hasEnded, makeStopRun } from "../stopRun.ts"

const usualLimit = 20

/** Bisheng's code for a session that is busy, in words that fit a question. */
const begunAlready = business({
  ...tell(new SessionBusy()),
  status_message: "this question does not wait any more: it is being answered, or has ended",
  data: null
})

export const RunsLive = HttpApiBuilder.group(Api, "runs", (handlers) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const sessions = yield* Sessions
    const audited = yield* makeAudited
    const views = yield* makeRunViews
    const stopRun = yield* makeStopRun
    const amendRun = yield* makeAmendRun
    const queueNotice = yield* makeQueueNotice
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)

    const existing = (runId: string) =>
      Effect.gen(function* () {
        const found = yield* runs.get(runId)
        if (Option.isNone(found)) return yield* notFound("run")
        return mayRead(yield* CurrentUser, found.value) ? found.value : yield* notYours("run")
      })

    /** The chat's latest runs. Its queue is read after them, and says what became of them meanwhile. */
    const ofChat = (chatId: string, limit: number) =>
      Effect.gen(function* () {
        const session = yield* sessions.get(chatId)
        if (Option.isNone(session)) return []
        if (!mayRead(yield* CurrentUser, session.value)) return yield* notYours("chat")
        const latest = yield* runs.ofChat(chatId, limit)
        const queue = yield* runs.queue(chatId)
        const inQueue = new Map(queue.map((run) => [run.id, run]))
        const current = (run: Run) => {
          const known = inQueue.get(run.id)
          if (known !== undefined || run.status !== "queued") return Effect.succeed(known ?? run)
          return Effect.map(
            runs.get(run.id),
            Option.getOrElse(() => run)
          )
        }
        return yield* views(yield* Effect.forEach(latest, current), positionsIn(queue))
      })

    /** All that runs or waits for its turn; one look at a time, as it may be much. */
    const unfinished = oneAtATime(
      Effect.flatMap(runs.owners, (owners) =>
        Effect.map(Effect.forEach(owners, runs.unfinished), (all) => all.flat())
      )
    )

    const everywhere = (limit: number) =>
      Effect.gen(function* () {
        const person = yield* CurrentUser
        const all = yield* unfinished
        const shown = all
          .filter((run) => mayRead(person, run))
          .toSorted((a, b) => b.question_id - a.question_id)
        return yield* views(shown.slice(0, limit), positionsIn(all))
      })

    return handlers
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const chatId = given(urlParams.chat_id, null)
          const limit = given(urlParams.limit, usualLimit)
          return ok(yield* chatId === null ? everywhere(limit) : ofChat(chatId, limit))
        })
      )
      .handle("stop", ({ path, request }) =>
        Effect.gen(function* () {
          const run = yield* existing(path.run_id)
          if (hasEnded(run)) return ok({ stopped: false })
          const { stopped, unbegun } = yield* stopRun(run)
          if (unbegun) yield* queueNotice(run, cancelled)
          // People stop their own runs all the time; of others' it is to be known who did it.
          const { userId } = yield* CurrentUser
          if (stopped && userId !== run.user_id) yield* audited(request, "run.stop", run.id)
          return ok({ stopped })
        })
      )
      .handle("amend", ({ path, payload }) =>
        Effect.gen(function* () {
          const run = yield* existing(path.run_id)
          yield* amendRun(run, payload.message)
          const [changed] = yield* views(
            [yield* existing(run.id)],
            positionsIn(yield* runs.queue(run.chat_id))
          )
          if (changed === undefined) return yield* notFound("run")
          yield* queueNotice(run, { position: changed.position, message: payload.message })
          return ok(changed)
        }).pipe(
          Effect.catchTags({
            SessionBusy: () => Effect.succeed(begunAlready),
            AppDeleted: (error) => Effect.succeed(businessOf(error)),
            AppOffline: (error) => Effect.succeed(businessOf(error)),
            AppNotBuilt: (error) => Effect.succeed(businessOf(error))
          })
        )
      )
  })
)
