/**
 * Compares how each run was told to one client, from `begin` to `close` without a gap, with what is stored of it:
 * streamed text, answers, ids; and looks for runs that never end.
 */
import type { Complaint, Row, SessionRecord, Shown, View } from "./record.ts"
import { isNumbered, steps } from "./walk.ts"

/** What is stored of one run. */
interface Stored {
  readonly answer: Row | null
  readonly reasoning: Row | null
  readonly isDone: boolean
}

export const storedRuns = ({ history, runs }: SessionRecord): ReadonlyMap<string, Stored> => {
  const stored = new Map<string, Stored>()
  const statuses = new Map(runs?.map(({ id, status }) => [id, status]))
  for (const row of history) {
    if (row.runId === null) continue
    const before = stored.get(row.runId) ?? { answer: null, reasoning: null, isDone: false }
    const answer = row.category === "answer" ? row : before.answer
    const status = statuses.get(row.runId)
    stored.set(row.runId, {
      answer,
      reasoning: row.category === "reasoning_answer" ? row : before.reasoning,
      isDone: status === undefined ? answer?.remark === "" : status === "done"
    })
  }
  return stored
}

/** A run as far as it was told. */
interface Telling {
  content: string
  reasoning: string
  /** The whole answer, as a bubble's end said it. */
  whole: string | null
  /** Its end was told by another node than the one that ran it: what was streamed last may not have left that one. */
  late: boolean
}

export function* checkTold(view: View, session: SessionRecord): Generator<Complaint> {
  const stored = storedRuns(session)
  const rows = new Map(session.history.map((row) => [row.id, row]))
  const open = new Map<string, Telling>()
  const closed = new Map<string, string | null>()
  let last: number | null = null
  for (const { seen, fresh } of steps(view)) {
    if (fresh) open.clear()
    if (seen.kind === "dialled") last = null
    if (!isNumbered(seen)) continue
    const { at } = seen
    // A classic client is not told of gaps: the numbers tell.
    if (!view.native && (last === null || seen.first !== last + 1)) open.clear()
    last = seen.seq
    yield* dated(at, checkRow(seen, rows))
    const { runId } = seen
    if (runId === null) continue
    const closedIn = closed.get(runId)
    if (view.native && closedIn !== undefined && closedIn !== seen.epoch) {
      yield {
        kind: "after close",
        text: `${seen.type} of ${runId} in ${seen.epoch}, closed in ${closedIn}`,
        at
      }
    }
    if (seen.type === "begin") {
      open.set(runId, { content: "", reasoning: "", whole: null, late: false })
      continue
    }
    const telling = open.get(runId)
    if (seen.type === "close") {
      closed.set(runId, seen.epoch)
      open.delete(runId)
      if (telling !== undefined) yield* dated(at, checkTexts(runId, telling, stored.get(runId)))
    } else if (telling !== undefined) hear(telling, seen)
  }
  if (!view.attached || !view.native) return
  for (const runId of open.keys()) yield { kind: "not closed", text: `run ${runId}`, passing: true }
}

function* dated(at: number, complaints: Iterable<Complaint>): Generator<Complaint> {
  for (const complaint of complaints) yield { ...complaint, at }
}

const hear = (telling: Telling, { type, category, content, reasoning, text }: Shown): void => {
  telling.content += content
  telling.reasoning += reasoning
  if (category === "answer" && (type === "end" || type === "end_cover")) telling.whole = text
  else if (type === "end" && telling.whole !== null) telling.late = true
}

/** Whatever was shown with an id is stored under it. */
function* checkRow(frame: Shown, rows: ReadonlyMap<number, Row>): Generator<Complaint> {
  const { messageId, question, type, category, text, runId } = frame
  if (question !== null && question.messageId !== null) {
    const row = rows.get(question.messageId)
    if (row?.message !== question.message || row.runId !== runId) {
      const found = row === undefined ? "nothing" : `${JSON.stringify(row.message)} of ${row.runId}`
      yield { kind: "row", text: `question ${question.messageId} of ${runId} is stored as ${found}` }
    }
  }
  if (messageId === null) return
  const row = rows.get(messageId)
  if (row === undefined) yield { kind: "row", text: `${type}/${category} has id ${messageId}: no such row` }
  else if (category.endsWith("answer") && row.message !== text) {
    yield { kind: "row", text: `${type}/${category} ${messageId} is stored with another text` }
  }
}

const compatible = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one)

function* checkTexts(runId: string, told: Telling, stored: Stored | undefined): Generator<Complaint> {
  const answer = stored?.answer?.message ?? ""
  const reasoning = stored?.reasoning?.message ?? ""
  if (stored?.isDone === true) {
    const same = (streamed: string, whole: string) =>
      streamed === whole || (told.late && whole.startsWith(streamed))
    if (!same(told.content, answer)) {
      yield { kind: "text", text: `run ${runId} streamed ${difference(told.content, answer)}` }
    }
    if (!same(told.reasoning, reasoning)) {
      yield { kind: "text", text: `run ${runId} reasoned ${difference(told.reasoning, reasoning)}` }
    }
    if (told.whole !== answer) {
      yield { kind: "text", text: `run ${runId} said ${difference(told.whole ?? "", answer)}` }
    }
    return
  }
  if (!compatible(told.content, answer)) {
    yield { kind: "text", text: `run ${runId} broke off; streamed ${difference(told.content, answer)}` }
  }
  if (!compatible(told.reasoning, reasoning)) {
    yield { kind: "text", text: `run ${runId} broke off; reasoned ${difference(told.reasoning, reasoning)}` }
  }
}

const difference = (told: string, stored: string): string => {
  let same = 0
  while (same < told.length && told[same] === stored[same]) same += 1
  const at = (text: string) => JSON.stringify(text.slice(Math.max(0, same - 10), same + 20))
  return `${told.length} characters, ${stored.length} are stored; at ${same}: ${at(told)} and ${at(stored)}`
}
