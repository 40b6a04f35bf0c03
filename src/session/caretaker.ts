/**
 * Looks after runs that nobody looks after: those of nodes that are gone, those of this node that nothing here runs,
 * and those that have waited too long for a person.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Ending, Runs } from "../storage/Runs.ts"
import type { Run } from "../storage/rows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { HubService } from "./Hub.ts"
import type { LiveSessions } from "./LiveSessions.ts"
import type { Session } from "./Session.ts"
import type { Nodes } from "./shared/Nodes.ts"

/** Runs that have waited too long and are ended in one go. */
const overdueAtOnce = 100

/** Ends that are told in one go. */
const untoldAtOnce = 100

/** How often this node looks through the sessions that it has. */
const lookEvery = Duration.seconds(1)

/** How often all nodes together look into the database for runs that are nobody's; and each of them at least, on average. */
const lookTogether = Duration.millis(250)
const lookAtLeast = Duration.seconds(10)

/** To the next look into the database: at a moment that no other node has chosen, where they are many. */
const pauseAmong = (nodes: number): Effect.Effect<Duration.Duration> => {
  const usual = Duration.clamp(Duration.times(lookTogether, nodes), {
    minimum: lookEvery,
    maximum: lookAtLeast
  })
  const more = Duration.subtract(usual, lookEvery)
  return Effect.map(Random.next, (luck) => Duration.sum(lookEvery, Duration.times(more, 2 * luck)))
}

/** Sessions that are taken over at the same time. */
const takenOverAtOnce = 16

/** A run of this node's that nothing here runs is on its way to its start or end, unless it stays so. */
const strayAfter = Duration.seconds(10)

/** How a run ends whose chat is deleted. */
export const ended: Ending = {
  status: "stopped",
  error: "",
  promptTokens: 0,
  completionTokens: 0,
  messages: []
}

export interface CaretakerOptions {
  readonly runs: typeof Runs.Service
  readonly nodes: typeof Nodes.Service
  readonly live: LiveSessions
  readonly open: HubService["open"]
  /** How long a run waits for a person. */
  readonly waitLimit: Duration.Duration
  readonly draining: () => boolean
}

export interface Caretaker {
  /** Ends what an earlier life of this node has left, and goes on with what waits. Answers how many runs it was. */
  readonly recover: Effect.Effect<number, StorageError>
}

/** Looks every now and then until the scope closes. */
export const makeCaretaker = (options: CaretakerOptions): Effect.Effect<Caretaker, never, Scope.Scope> => {
  const { runs, nodes, live, open, waitLimit, draining } = options

  /** Opens the session of a run for a moment, for what has to be done there. */
  const inSessionOf = (run: Run, use: (session: Session) => Effect.Effect<void>) =>
    open({ flowId: run.flow_id, chatId: run.chat_id }, run.user_id).pipe(
      Effect.flatMap(use),
      Effect.catchTag("NotYours", () => Effect.asVoid(runs.finish(run.id, ended))),
      Effect.scoped
    )

  /** Ends what has waited too long. */
  const endOverdue = Effect.gen(function* () {
    for (const { run } of yield* runs.overdue(overdueAtOnce)) {
      yield* inSessionOf(run, (session) => session.expire(run.id))
    }
  }).pipe(
    Effect.catchAll((error) =>
      Effect.logWarning("runs that wait for a reply could not be looked through", error.cause)
    )
  )

  const isRunHere = (run: Run) =>
    live
      .of(run.chat_id)
      .some((session) =>
        run.status === "queued" ? session.running() !== null : session.running() === run.id
      )

  /** Ends that whoever made them has not told. */
  const tellUntold = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const isLeftHere = ({ owner, end_time }: Run) =>
      owner === nodes.self && end_time !== null && now - end_time.getTime() > Duration.toMillis(strayAfter)
    const untold = yield* Effect.filter(
      yield* runs.untold(untoldAtOnce),
      (run) => (isLeftHere(run) ? Effect.succeed(true) : nodes.isDead(run.owner)),
      { concurrency: "unbounded" }
    )
    yield* Effect.forEach(
      untold,
      ({ id, flow_id, chat_id, user_id }) =>
        open({ flowId: flow_id, chatId: chat_id }, user_id).pipe(
          Effect.flatMap((session) => session.tellEnd(id)),
          Effect.catchTag("NotYours", () => runs.told([id])),
          Effect.scoped
        ),
      { concurrency: takenOverAtOnce, discard: true }
    )
  })

  const takeOverAll = (left: ReadonlyArray<Run>) =>
    Effect.forEach(
      left,
      (run) =>
        inSessionOf(run, (session) => (run.status === "running" ? session.takeOver(run.id) : session.resume)),
      { concurrency: takenOverAtOnce, discard: true }
    )

  /** Of those that have runs: this node, and those that are gone. */
  const owners = Effect.flatMap(runs.owners, (all) =>
    Effect.filter(all, (owner) => (owner === nodes.self ? Effect.succeed(true) : nodes.isDead(owner)), {
      concurrency: "unbounded"
    })
  )

  /** Runs of nodes that are gone, and of this one that nothing here runs. */
  const strays = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const isOld = ({ create_time, start_time }: Run) =>
      now - (start_time ?? create_time).getTime() > Duration.toMillis(strayAfter)
    const found: Array<Run> = []
    for (const owner of yield* owners) {
      const isOwn = owner === nodes.self
      const unfinished = yield* runs.unfinished(owner)
      found.push(...unfinished.filter((run) => !isOwn || (isOld(run) && !isRunHere(run))))
    }
    return found
  })

  /** Sessions that are followed here while the node that runs them is gone, or this one has lost their lease. */
  const orphaned = () => {
    const found: Array<Session> = []
    // To look at ten thousand idle sessions each second was a sixth of what they cost.
    if (nodes.isAlone) return found
    for (const session of live.all()) {
      const { status, owner } = session.log.standing
      if (status !== "running") continue
      if (nodes.seemsDead(owner) || (owner === nodes.self && session.running() === null)) found.push(session)
    }
    return found
  }

  const lookIntoDatabase = Effect.gen(function* () {
    if (draining()) return
    yield* takeOverAll(yield* strays)
    yield* tellUntold
  }).pipe(Effect.catchAll((error) => Effect.logWarning("lost runs could not be looked for", error.cause)))

  const lookHere = Effect.suspend(() =>
    Effect.forEach(draining() ? [] : orphaned(), (session) => session.takeOver(null), {
      concurrency: takenOverAtOnce,
      discard: true
    })
  )

  const recover = Effect.gen(function* () {
    const left = yield* Effect.forEach(yield* owners, runs.unfinished)
    yield* takeOverAll(left.flat())
    yield* tellUntold
    return left.flat().length
  })

  const often = Duration.clamp(Duration.times(waitLimit, 0.1), {
    minimum: "100 millis",
    maximum: "30 seconds"
  })
  return Effect.gen(function* () {
    yield* endOverdue.pipe(Effect.repeat(Schedule.spaced(often)), Effect.forkScoped)
    yield* lookHere.pipe(Effect.delay(lookEvery), Effect.forever, Effect.forkScoped)
    yield* Effect.suspend(() => pauseAmong(nodes.living())).pipe(
      Effect.flatMap(Effect.sleep),
      Effect.zipRight(lookIntoDatabase),
      Effect.forever,
      Effect.forkScoped
    )
    return { recover }
  })
}
