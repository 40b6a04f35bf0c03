/** What one client saw: whole runs one after the other, numbers without a gap, nothing untold. */
import * as Predicate from "effect/Predicate"
import { nameOf, streamed } from "./check.ts"
import type { ClientHistory, SeenFrame, StoredRun } from "./history.ts"

/** The run that a client sees in progress. */
interface Seen {
  readonly runId: string
  /** Its `begin` was seen, with nothing missed since. */
  readonly isWhole: boolean
  text: string
  /** It asked a person: other runs may be told until it goes on. */
  waits: boolean
  /** What its last frames said of its end. */
  end: string
}

interface Open {
  current: Seen | null
  /** The run that waits for a person while another one is told. */
  aside: Seen | null
}

const seen = (runId: string, isWhole: boolean): Seen => ({ runId, isWhole, text: "", waits: false, end: "" })

/** The run that a frame goes on with. */
const take = (open: Open, runId: string): Seen => {
  if (open.current?.runId === runId) return open.current
  const { aside } = open
  if (aside?.runId !== runId) return seen(runId, false)
  open.aside = null
  return aside
}

export function* checkSight(
  { name, entries, isPresent }: ClientHistory,
  runs: ReadonlyMap<string, StoredRun>,
  gone: ReadonlySet<string>
): Generator<string, void> {
  let epoch = ""
  let seq = 0
  let isFirst = true
  const open: Open = { current: null, aside: null }
  /** Closed since frames were last missed. */
  let closed = new Set<string>()
  let begun = new Set<string>()
  /** Known to be over, from the history that is loaded where frames were missed. */
  let known: ReadonlySet<string> = new Set()
  for (const entry of entries) {
    if (entry._tag === "Opened") {
      const { place, before, ended } = entry
      if (place.recovered && before !== null) {
        // A log that nothing was ever written to may turn out to be another one: nothing was missed by that.
        if (place.epoch === epoch && place.lastSeq !== seq) {
          yield `${name}: went on at ${place.epoch}:${place.lastSeq}, having left at ${epoch}:${seq}`
        }
      } else {
        open.current = null
        open.aside = null
        closed = new Set()
        begun = new Set()
        known = ended
        isFirst = true
      }
      epoch = place.epoch
      seq = place.lastSeq
    }
    if (entry._tag !== "Frame") continue
    const { frame } = entry
    const at = `${name} at ${epoch}:${frame.seq}`
    if ((frame.first_seq ?? frame.seq) !== seq + 1) yield `${at}: came after ${seq}`
    seq = frame.seq
    const runId = frame.run_id ?? ""
    const stored = runs.get(runId)
    if (stored === undefined) {
      yield `${at}: a frame of an unknown run ${runId}`
      continue
    }
    const run = nameOf(stored.run)
    yield* stays(frame, stored, at)
    if (closed.has(runId)) yield `${at}: ${frame.type} of ${run} after its close`
    const before = open.current
    if (frame.type === "begin") {
      if (before?.waits === true) open.aside = before
      else if (before !== null) yield `${at}: ${run} begins while ${before.runId} is open`
      if (begun.has(runId)) yield `${at}: ${run} begins again`
      begun.add(runId)
    } else if (before !== null && before.runId !== runId) {
      yield `${at}: ${frame.type} of ${run} while ${before.runId} is open`
    } else if (before === null && !isFirst && open.aside?.runId !== runId) {
      // Only after a gap may a run be met in its middle.
      yield `${at}: ${frame.type} of ${run}, which has not begun`
    }
    isFirst = false
    const current = frame.type === "begin" ? seen(runId, true) : take(open, runId)
    open.current = current
    if (frame.question !== undefined) current.text = ""
    current.text += streamed(frame) ?? ""
    current.waits = asks(frame)
    const told = endOf(frame)
    if (told !== null) current.end = told
    if (frame.type !== "close") continue
    if (current.isWhole) yield* wholly(current, stored, gone, at)
    closed.add(runId)
    open.current = null
  }
  if (!isPresent) return
  for (const [runId, { run }] of runs) {
    if (!known.has(runId) && !closed.has(runId)) yield `${name} was never told of the end of ${nameOf(run)}`
  }
}

/** Whether it asks a person something. */
const asks = ({ receiver }: SeenFrame): boolean =>
  Predicate.isRecord(receiver) && receiver["is_self"] === true

/** What a frame shows as stored is stored. A rollback removes what was shown. */
function* stays(frame: SeenFrame, { run, rows }: StoredRun, at: string): Generator<string, void> {
  const { message_id } = frame
  if (message_id === null || rows.length === 0) return
  if (!rows.some(({ id }) => id === message_id)) {
    yield `${at}: message ${message_id} of ${nameOf(run)} is not stored`
  }
}

/** The status that a run's last frames stand for. */
const endOf = ({ type, category, message, intermediate_steps }: SeenFrame): string | null => {
  if (category === "error" && Predicate.isRecord(message)) {
    return message["status_code"] === 13015 ? "lost" : "failed"
  }
  if (category === "answer" && type === "end_cover") return "done"
  return category === "processing" && type === "end" && intermediate_steps === null ? "stopped" : null
}

/** A run that was seen from its begin to its close, against what is stored of it. */
function* wholly(
  { text, end }: Seen,
  { run, rows }: StoredRun,
  gone: ReadonlySet<string>,
  at: string
): Generator<string, void> {
  if (rows.length === 0) return
  if (end !== run.status) yield `${at}: ${nameOf(run)} was told as ${end} and is ${run.status}`
  if (run.status !== "done") return
  const answers = rows.filter(({ category, remark }) => category === "answer" && remark === "")
  const answer = answers.at(-1)?.message ?? ""
  // Who tells the end in place of a node that is gone tells the answer, and not what was not streamed of it.
  if (gone.has(run.owner) ? !answer.startsWith(text) : answer !== text) {
    yield `${at}: ${nameOf(run)} streamed ${text} and is stored as ${answer}`
  }
}
