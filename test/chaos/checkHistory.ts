/** What is stored in the end: every question once, every run ended, and nothing that a client does not know of. */
import type { Complaint, Row, SessionRecord, View } from "./record.ts"
import { steps } from "./walk.ts"

const finished = ["done", "stopped", "failed", "lost"]

export function* checkHistory({ history, runs, areAllRuns, views }: SessionRecord): Generator<Complaint> {
  yield* checkQuestions(history, views)
  const counts = new Map<string, number>()
  for (const { category, runId } of history) {
    if (category !== "question" && category !== "answer" && category !== "reasoning_answer") continue
    const key = `${category} of ${runId}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count === 2) yield { kind: "stored twice", text: key }
  }
  if (runs === null) return
  const known = new Set(runs.map(({ id }) => id))
  for (const { category, runId, id } of history) {
    if (category !== "question") continue
    if (runId === null || (areAllRuns && !known.has(runId))) {
      yield { kind: "no run", text: `question ${id} has no run` }
    }
  }
  for (const { id, status } of runs) {
    if (!finished.includes(status))
      yield { kind: "unfinished", text: `run ${id} is ${status}`, passing: true }
    if (status !== "done") continue
    const answer = history.find(({ category, runId }) => category === "answer" && runId === id)
    if (answer === undefined || answer.remark !== "") {
      yield { kind: "no answer", text: `run ${id} is done without an answer` }
    }
  }
}

function* checkQuestions(history: ReadonlyArray<Row>, views: ReadonlyArray<View>): Generator<Complaint> {
  const counts = new Map<string, number>()
  for (const { category, message } of history) {
    if (category === "question") counts.set(message, (counts.get(message) ?? 0) + 1)
  }
  for (const { id, text, acknowledged, insistent } of views.flatMap(({ asked }) => asked)) {
    const count = counts.get(text) ?? 0
    if (count > 1) yield { kind: "question repeated", text: `${id} is stored ${count} times` }
    if (count === 0 && acknowledged)
      yield { kind: "question lost", text: `${id} was accepted and is not stored` }
    if (insistent && !acknowledged) {
      yield { kind: "not acknowledged", text: `${id}, ${count} times stored`, passing: true }
    }
  }
}

/** Whether the client was shown, or has read in the history, all that there is. */
export function* checkKnown(view: View, { history, runs }: SessionRecord): Generator<Complaint> {
  if (!view.native) return
  const answers = history.filter(({ category }) => category === "answer").map(({ id }) => id)
  const known = new Set<number>()
  let readUpTo = 0
  let stretch: Stretch = { from: null, answers: new Map() }
  for (const { seen, gap } of steps(view)) {
    if (gap) {
      yield* checkStretch(stretch, answers)
      stretch = { from: null, answers: new Map() }
    }
    if (seen.kind === "loaded") {
      for (const id of seen.ids) {
        known.add(id)
        readUpTo = Math.max(readUpTo, id)
      }
      stretch.from = readUpTo
    }
    if (seen.kind !== "frame") continue
    if (seen.question?.messageId) known.add(seen.question.messageId)
    if (seen.messageId === null || seen.seq === null) continue
    known.add(seen.messageId)
    if (seen.category === "answer") stretch.answers.set(seen.messageId, seen.at)
  }
  yield* checkStretch(stretch, answers)
  if (!view.attached) return
  const statuses = new Map(runs?.map(({ id, status }) => [id, status]))
  for (const { id, category, runId } of history) {
    if ((category !== "question" && category !== "answer") || known.has(id)) continue
    const status = statuses.get(runId ?? "") ?? "of an unknown status"
    const text = `${category} ${id} was neither shown nor in the history read; its run ${runId} is ${status}`
    yield { kind: "missed", text, passing: true }
  }
}

/** From one gap to the next; `from`: the last message that was read in the history. */
interface Stretch {
  from: number | null
  /** What was shown, and when. */
  readonly answers: Map<number, number>
}

/** Answers are told in the order of their ids: none may be passed over without a gap. */
function* checkStretch({ from, answers }: Stretch, stored: ReadonlyArray<number>): Generator<Complaint> {
  const low = from ?? Math.min(...answers.keys())
  const high = Math.max(...answers.keys())
  for (const id of stored) {
    if (id <= low || id >= high || answers.has(id)) continue
    const [next, at] = [...answers].filter(([shown]) => shown > id).sort(([a], [b]) => a - b)[0] ?? []
    yield { kind: "passed over", text: `answer ${id} was not shown, ${next} was`, ...(at && { at }) }
  }
}
