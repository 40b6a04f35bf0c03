/** The journal of a session of which nothing is kept: what the model is reminded of, in process. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { NewMessage } from "../storage/rows.ts"
import { ChatBusy, ChatFull } from "../storage/StorageError.ts"
import { fillingActions, inputsIn, type Journal, type KnownRun, memoryRounds } from "./Journal.ts"
import { remembered } from "./memory.ts"

interface Round {
  run: KnownRun
  readonly front: boolean
  readonly messages: Array<NewMessage>
  state: string
}

const isUnfinished = ({ run }: Round) => run.status === "queued" || run.status === "running"

export const unsavedJournal = (): Journal => {
  let rounds: Array<Round> = []
  const roundOf = (runId: string) => rounds.find(({ run }) => run.runId === runId)
  const set = (runId: string, status: KnownRun["status"]) => {
    const round = roundOf(runId)
    if (round !== undefined) round.run = { ...round.run, status }
    return round
  }
  const queued = () => {
    const all = rounds.filter(({ run }) => run.status === "queued")
    // Those that were put in front go before the others, the last one first.
    return [...all.filter(({ front }) => front).reverse(), ...all.filter(({ front }) => !front)]
  }
  const keep = (runId: string, messages: ReadonlyArray<NewMessage>) => {
    roundOf(runId)?.messages.push(...messages)
    return messages.map(() => null)
  }
  const byClient = (id: string) => rounds.find(({ run }) => run.clientMsgId === id)
  /** Rounds that are over are forgotten beyond what the model is given. */
  const prune = () => {
    const over = rounds.filter((round) => !isUnfinished(round) && round.run.status !== "waiting_input")
    const excess = new Set(over.slice(0, Math.max(0, over.length - memoryRounds)))
    rounds = rounds.filter((round) => !excess.has(round))
  }

  return {
    accept: (acceptance) =>
      Effect.suspend((): ReturnType<Journal["accept"]> => {
        const { clientMsgId, entry, runId, owner, action, payload, session } = acceptance
        const before = clientMsgId === null ? undefined : byClient(clientMsgId)
        if (before !== undefined) return Effect.succeed({ run: before.run, fresh: false, ahead: [] })
        const running = rounds.filter(({ run }) => run.status === "running")
        const waiting = queued()
        if (entry.onBusy === "reject" && running.length + waiting.length > 0) {
          return Effect.fail(new ChatBusy({ chatId: session.chatId }))
        }
        if (entry.onBusy !== "reject" && waiting.length >= entry.maxQueued) {
          return Effect.fail(new ChatFull({ limit: entry.maxQueued }))
        }
        const front = entry.onBusy === "front"
        const isFree = running.length + waiting.length === 0
        const run: KnownRun = {
          runId,
          status: entry.startNow && isFree ? "running" : "queued",
          questionId: null,
          userId: session.userId,
          owner,
          action,
          clientMsgId,
          payload,
          error: "",
          partial: { text: "", reasoning: "" }
        }
        rounds.push({ run, front, messages: [acceptance.question], state: "" })
        prune()
        const ahead = [...running, ...(front ? [] : waiting)].map((round) => round.run)
        return Effect.succeed({ run, fresh: true, ahead })
      }),
    find: (id) => Effect.sync(() => Option.map(Option.fromNullable(byClient(id)), ({ run }) => run)),
    get: (runId) => Effect.sync(() => Option.map(Option.fromNullable(roundOf(runId)), ({ run }) => run)),
    dequeue: () =>
      Effect.sync(() => {
        const [next] = queued()
        if (next === undefined || rounds.some(({ run }) => run.status === "running")) return Option.none()
        next.run = { ...next.run, status: "running" }
        return Option.some(next.run)
      }),
    waits: Effect.sync(() => queued().length > 0 && !rounds.some(({ run }) => run.status === "running")),
    cancel: (runId) =>
      Effect.sync(() =>
        queued()
          .filter(({ run }) => runId === null || run.runId === runId)
          .map((round) => {
            round.run = { ...round.run, status: "stopped" }
            return round.run
          })
      ),
    told: () => Effect.void,
    record: (runId, messages) => Effect.sync(() => keep(runId, messages)),
    settle: (runId, messages) => Effect.sync(() => keep(runId, messages)),
    park: (runId, { state }) =>
      Effect.sync(() => {
        const round = set(runId, "waiting_input")
        if (round !== undefined) round.state = state
      }),
    resume: (runId, reply) =>
      Effect.sync(() => {
        if (roundOf(runId)?.run.status !== "waiting_input") return Option.none()
        set(runId, "running")?.messages.push(reply)
        return Option.some(null)
      }),
    waiting: Effect.sync(() =>
      Option.map(
        Option.fromNullable(rounds.findLast(({ run }) => run.status === "waiting_input")),
        ({ run, state }) => ({ run, state })
      )
    ),
    reopen: () => Effect.succeed(false),
    filling: Effect.sync(() =>
      Option.flatMap(
        Option.fromNullable(rounds.findLast(({ run }) => fillingActions.includes(run.action))),
        ({ messages: [question] }) => inputsIn(question?.extra ?? "")
      )
    ),
    past: () => Effect.succeed([]),
    finish: (runId, { status, messages }) =>
      Effect.sync(() => {
        set(runId, status)
        return keep(runId, messages)
      }),
    rollback: (runId) =>
      Effect.sync(() => {
        rounds = rounds.filter(({ run }) => run.runId !== runId)
      }),
    memory: Effect.sync(() =>
      remembered(rounds.filter(({ run }) => run.status === "done").flatMap(({ messages }) => messages))
    ),
    forget: Effect.sync(() => {
      rounds = rounds.filter(isUnfinished)
    })
  }
}
