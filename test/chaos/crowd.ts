/** All sessions of a chaos run and their clients; and how to find out that all have come to rest. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { seededRandom } from "../support/SeededScheduler.ts"
import { check } from "./check.ts"
import { type ChaosClient, chaosClient } from "./client.ts"
import type { SessionRecord, Violation } from "./record.ts"
import { type Access, historyAfter, runsOf } from "./rest.ts"

export interface ChaosSession {
  readonly chatId: string
  readonly clients: ReadonlyArray<ChaosClient>
}

export interface Outcome {
  readonly session: ChaosSession
  readonly record: SessionRecord
  readonly violations: ReadonlyArray<Violation>
}

/** Ms between two decisions of a session: so many sessions keep two cores busy, and no more. */
const paceOf = (sessions: number) => Math.max(2_500, sessions * 60)

/** Draws of neighbouring seeds have nothing in common. */
const randomFor = (seed: number, index: number) => seededRandom((seed * 1_000_003 + index * 7_919) >>> 0)

export const makeCrowd = (options: {
  readonly seed: number
  readonly sessions: number
  readonly flowId: string
  readonly access: Access
  readonly isBusy: () => boolean
}): ReadonlyArray<ChaosSession> => {
  const { seed, sessions, flowId, access, isBusy } = options
  const random = randomFor(seed, 0)
  return Array.from({ length: sessions }, (_, i) => {
    const chatId = `chaos-${seed}-${i}`
    const draw = random()
    const count = draw < 0.5 ? 1 : draw < 0.85 ? 2 : 3
    const clients = Array.from({ length: count }, (_, j) =>
      chaosClient({
        name: `s${i}${"abc"[j] ?? ""}`,
        native: j === 0 || random() < 0.7,
        flowId,
        chatId,
        access,
        random: randomFor(seed, 1 + i * 3 + j),
        pace: paceOf(sessions) * count,
        isBusy
      })
    )
    return { chatId, clients }
  })
}

/** What there is to check of a session now; `access` is to a node that answers. */
const recordOf = ({ chatId, clients }: ChaosSession, flowId: string, access: Access) =>
  Effect.gen(function* () {
    const history = yield* historyAfter(access, { flowId, chatId }, 0)
    const told = yield* runsOf(access, chatId)
    const record: SessionRecord = {
      chatId,
      history,
      runs: told?.runs ?? null,
      areAllRuns: told?.isWhole ?? false,
      views: clients.map(({ notes }) => notes.view)
    }
    return record
  }).pipe(Effect.retry(Schedule.intersect(Schedule.spaced("500 millis"), Schedule.recurs(20))))

const judged = (session: ChaosSession, flowId: string, access: Access) =>
  Effect.map(recordOf(session, flowId, access), (record): Outcome => {
    const restless = session.clients
      .filter(({ isQuiet }) => !isQuiet())
      .map(({ notes }) => ({
        kind: "not quiet",
        chatId: session.chatId,
        client: notes.client,
        text: notes.attached ? "still waits for an answer" : "has no socket",
        passing: true,
        at: null
      }))
    return { session, record, violations: [...check(record), ...restless] }
  })

/** History and runs are two questions: what is wrong with them at first sight is looked at again. */
const looks = 3

/**
 * Checks every session. Where something may still be on its way it is checked again and again, for `patience` at
 * most.
 */
export const settle = (
  crowd: ReadonlyArray<ChaosSession>,
  flowId: string,
  access: Access,
  patience: number
) =>
  Effect.gen(function* () {
    const deadline = Date.now() + patience
    const outcomes = new Map<ChaosSession, Outcome>()
    const looked = new Map<ChaosSession, number>()
    const isOpen = ({ session, violations }: Outcome): boolean => {
      if (violations.length === 0) return false
      if (violations.some(({ passing }) => passing)) return Date.now() < deadline
      const count = (looked.get(session) ?? 0) + 1
      looked.set(session, count)
      return count < looks
    }
    let open = crowd
    while (open.length > 0) {
      const found = yield* Effect.forEach(open, (session) => judged(session, flowId, access), {
        concurrency: 4
      })
      for (const outcome of found) outcomes.set(outcome.session, outcome)
      open = found.filter(isOpen).map(({ session }) => session)
      if (open.length > 0) yield* Effect.sleep("1 second")
    }
    return [...outcomes.values()]
  })
