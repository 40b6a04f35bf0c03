/**
 * Puts together what the native clients of a session were shown, epoch by epoch: whether they were shown the
 * same, and whether that is one run after the other, each from its `begin` to its one `close`.
 */
import type { Complaint, View } from "./record.ts"
import { isNumbered, type NumberedFrame } from "./walk.ts"

/** Of one epoch: single frames by number, and the merged ones. */
interface Log {
  readonly singles: Map<number, NumberedFrame>
  readonly merged: Map<string, NumberedFrame>
}

const textOf = ({ runId, content, reasoning }: NumberedFrame) => JSON.stringify([runId, content, reasoning])

const identity = (frame: NumberedFrame) => (frame.digest === "" ? textOf(frame) : frame.digest)

const nameOf = ({ type, category, runId }: NumberedFrame) => `${type}/${category} of ${runId ?? "no run"}`

export function* checkLog(views: ReadonlyArray<View>): Generator<Complaint> {
  const logs = new Map<string, Log>()
  for (const { native, seen } of views) {
    if (!native) continue
    for (const frame of seen) {
      if (!isNumbered(frame) || frame.epoch === null) continue
      const log = logs.get(frame.epoch) ?? { singles: new Map(), merged: new Map() }
      logs.set(frame.epoch, log)
      yield* add(frame, frame.epoch, log)
    }
  }
  const closedIn = new Map<string, string>()
  for (const [epoch, log] of logs) {
    yield* checkMerged(epoch, log)
    yield* checkOrder(epoch, log, closedIn)
  }
}

function* add(frame: NumberedFrame, epoch: string, { singles, merged }: Log): Generator<Complaint> {
  const isSingle = frame.first === frame.seq
  const before = isSingle ? singles.get(frame.seq) : merged.get(`${frame.first}-${frame.seq}`)
  if (before === undefined) {
    if (isSingle) singles.set(frame.seq, frame)
    else merged.set(`${frame.first}-${frame.seq}`, frame)
  } else if (identity(before) !== identity(frame)) {
    const numbers = isSingle ? frame.seq : `${frame.first}-${frame.seq}`
    const text = `${epoch}/${numbers} was shown as ${shortly(before)} and as ${shortly(frame)}`
    yield { kind: "contradiction", text, at: frame.at }
  }
}

const shortly = (frame: NumberedFrame) =>
  `${nameOf(frame)} ${JSON.stringify((frame.content + frame.reasoning + frame.text).slice(0, 60))}`

/** Where somebody was shown the same text piece by piece. */
function* checkMerged(epoch: string, { singles, merged }: Log): Generator<Complaint> {
  for (const frame of merged.values()) {
    let content = ""
    let reasoning = ""
    let isKnown = true
    for (let seq = frame.first; seq <= frame.seq; seq++) {
      const piece = singles.get(seq)
      if (piece === undefined) isKnown = false
      else if (piece.digest !== "") {
        const text = `${epoch}/${frame.first}-${frame.seq} covers ${nameOf(piece)}`
        yield { kind: "contradiction", text, at: frame.at }
      }
      content += piece?.content ?? ""
      reasoning += piece?.reasoning ?? ""
    }
    if (isKnown && (content !== frame.content || reasoning !== frame.reasoning)) {
      const text = `${epoch}/${frame.first}-${frame.seq} merged is not what its pieces are`
      yield { kind: "contradiction", text, at: frame.at }
    }
  }
}

/** `closedIn`: in which epoch each run was closed, over all of them. */
function* checkOrder(
  epoch: string,
  { singles, merged }: Log,
  closedIn: Map<string, string>
): Generator<Complaint> {
  const frames = [...singles.values(), ...merged.values()].sort((a, b) => a.first - b.first || b.seq - a.seq)
  const begun = new Set<string>()
  const closed = new Set<string>()
  /** undefined: nobody was shown what came before. */
  let open: string | null | undefined
  let last = 0
  /** Of the open run, until it says something: a question that is cancelled may be told of later. */
  let question: number | null = null
  let lastQuestion = 0
  for (const frame of frames) {
    const { first, seq, type, runId, at } = frame
    if (first > last + 1) open = undefined
    last = Math.max(last, seq)
    if (runId === null) continue
    const where = `${epoch}/${seq}: ${nameOf(frame)}`
    if (closed.has(runId)) {
      yield { kind: type === "close" ? "closed twice" : "after close", text: where, at }
      continue
    }
    if (type === "begin") {
      if (typeof open === "string") yield { kind: "interleaved", text: `${where} while ${open} is open`, at }
      if (begun.has(runId)) yield { kind: "begun twice", text: where, at }
      begun.add(runId)
      open = runId
      question = frame.question?.messageId ?? null
      continue
    }
    if (open !== undefined && open !== runId) {
      yield { kind: "interleaved", text: `${where} while ${open ?? "nothing"} is open`, at }
    }
    open = runId
    if (type === "stream" && question !== null) {
      if (question < lastQuestion) {
        yield { kind: "order", text: `${where}, question ${question} after ${lastQuestion}`, at }
      }
      lastQuestion = question
      question = null
    }
    if (type !== "close") continue
    closed.add(runId)
    open = null
    const elsewhere = closedIn.get(runId)
    if (elsewhere !== undefined) yield { kind: "closed twice", text: `${where}, and in ${elsewhere}`, at }
    closedIn.set(runId, epoch)
  }
}
