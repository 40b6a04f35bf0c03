import { describe, expect, it } from "@effect/vitest"
import { check } from "./check.ts"
import { checkLosses } from "./checkLosses.ts"
import type { Fault } from "./nemesis.ts"
import type { Seen, SessionRecord, Shown } from "./record.ts"
import {
  asked,
  dialled,
  frame,
  history,
  left,
  loaded,
  merged,
  one,
  placed,
  rowsOf,
  runFrames,
  runs,
  session,
  start,
  two,
  view,
  whole
} from "./scripted.ts"

const kinds = (record: SessionRecord) => [...new Set(check(record).map(({ kind }) => kind))].sort()

/** A session with this one client, who asked both questions. */
const seenBy = (seen: ReadonlyArray<Seen>, more: Partial<SessionRecord> = {}) =>
  session({ views: [view(seen, { asked: [asked(1), asked(3)] })], ...more })

/** The same frames, the one with this number changed. */
const changed = (seq: number, fields: Partial<Shown>) =>
  [...one, ...two].map((shown) => (shown.seq === seq ? frame(seq, { ...shown, ...fields }) : shown))

const withoutClose = one.slice(0, -1)

describe("a session is faultless", () => {
  const cut = [...start, ...one.slice(0, 4), left]

  it("when one client is shown all of it", () => {
    expect(check(session())).toEqual([])
  })

  it("when a client resumes exactly where it was", () => {
    const back = [dialled({ epoch: "e1", seq: 4 }), placed("e1", 4, true)]
    expect(check(seenBy([...cut, ...back, ...one.slice(4), ...two]))).toEqual([])
  })

  it("when a client that missed something is told so, reads the history, and gets the run from its start", () => {
    const back = [dialled({ epoch: "e1", seq: 4 }), placed("e1", 9), loaded(1, 2, 3)]
    expect(check(seenBy([...cut, ...back, ...two]))).toEqual([])
    const again = [dialled({ epoch: "e1", seq: 4 }), placed("e1", 0), loaded(1)]
    expect(check(seenBy([...cut, ...again, ...one, ...two]))).toEqual([])
  })

  it("when the log goes on under another epoch, and the client is told in the middle of a socket", () => {
    const other = runFrames(1, "r2", 3, ["d ", "e "]).map((shown) => ({ ...shown, epoch: "e2" }))
    expect(check(seenBy([...start, ...one, placed("e2", 0), loaded(1, 2), ...other]))).toEqual([])
  })

  it("when a log that was empty becomes the one of the other nodes", () => {
    const seen = [dialled(), placed("e0", 0), loaded(1, 2), placed("e1", 9, true), ...two]
    expect(check(seenBy(seen))).toEqual([])
  })

  it("when a late client gets the text in one piece", () => {
    const late = [...one.slice(0, 2), merged(one.slice(2, 5)), ...one.slice(5), ...two]
    expect(check(session({ views: [whole, view([...start, ...late])] }))).toEqual([])
  })

  it("when a classic client joins late, and is told nothing", () => {
    const seen = [dialled(), ...one, left, dialled(), ...two].map((each) =>
      each.kind === "frame" ? { ...each, epoch: null } : each
    )
    expect(check(session({ views: [whole, view(seen, { native: false })] }))).toEqual([])
  })

  it("when a run breaks off, and the part of its answer that is stored is what was streamed, or less", () => {
    const [question, answer] = rowsOf("r1", 1, ["a ", "b "])
    if (question === undefined || answer === undefined) throw new Error("two rows")
    const rows = [question, { ...answer, remark: "break_answer" }, ...rowsOf("r2", 3, ["d ", "e "])]
    const told = one.map((shown) =>
      shown.messageId === null ? shown : frame(shown.seq ?? 0, { ...shown, text: "a b ", type: "end" })
    )
    const states = [{ id: "r1", status: "lost", ran: null }, ...runs.slice(1)]
    expect(check(seenBy([...start, ...told, ...two], { history: rows, runs: states }))).toEqual([])
  })

  it("when another node tells the end of a run that is done, whose last words never left its own", () => {
    const [begin, opened, a] = one
    if (begin === undefined || opened === undefined || a === undefined) throw new Error("frames")
    const end = [
      frame(4, { runId: "r1", type: "start", category: "answer" }),
      frame(5, { runId: "r1", type: "end_cover", category: "answer", text: "a b c ", messageId: 2 }),
      frame(6, { runId: "r1", type: "end", category: "processing" }),
      frame(7, { runId: "r1", type: "close", category: "processing" })
    ]
    const next = runFrames(8, "r2", 3, ["d ", "e "])
    expect(check(seenBy([...start, begin, opened, a, ...end, ...next]))).toEqual([])
  })
})

/** Each is one thing that must never happen, and what it is called. */
const faults: ReadonlyArray<readonly [string, string, SessionRecord]> = [
  ["hole", "a number is left out", seenBy([...start, ...one.filter(({ seq }) => seq !== 2), ...two])],
  [
    "hole",
    "merged text leaves a number out",
    seenBy([...start, ...one.slice(0, 2), merged(one.slice(3, 5)), ...one.slice(5), ...two])
  ],
  ["repeat", "a number comes again", seenBy([...start, ...one.slice(0, 4), ...one.slice(3), ...two])],
  [
    "repeat",
    "a resumed socket is sent what it had",
    seenBy([
      ...start,
      ...one.slice(0, 4),
      left,
      dialled({ epoch: "e1", seq: 4 }),
      placed("e1", 4, true),
      ...one.slice(2),
      ...two
    ])
  ],
  [
    "false recovery",
    "a resumed socket goes on elsewhere",
    seenBy([
      ...start,
      ...one.slice(0, 4),
      left,
      dialled({ epoch: "e1", seq: 4 }),
      placed("e1", 9, true),
      loaded(1, 2),
      ...two
    ])
  ],
  [
    "false recovery",
    "the epoch changes as if nothing were missed",
    seenBy([
      ...start,
      ...one,
      placed("e2", 0, true),
      ...runFrames(1, "r2", 3, ["d ", "e "]).map((shown) => ({ ...shown, epoch: "e2" }))
    ])
  ],
  ["unplaced", "frames come before the place", seenBy([dialled(), ...one, ...two, loaded(1, 2, 3, 4)])],
  ["stray", "a frame is of another chat", seenBy([...start, ...changed(3, { chatId: "c2" })])],
  [
    "contradiction",
    "two clients are shown different frames",
    session({ views: [whole, view([...start, ...changed(8, { text: "a b x " })])] })
  ],
  [
    "contradiction",
    "two clients are shown different text",
    session({ views: [whole, view([...start, ...changed(4, { content: "x " })])] })
  ],
  [
    "contradiction",
    "a client is shown another frame under the same number after a gap",
    seenBy([
      ...start,
      ...one.slice(0, 4),
      left,
      dialled({ epoch: "e1", seq: 4 }),
      placed("e1", 0),
      loaded(1),
      ...changed(4, { content: "B " })
    ])
  ],
  [
    "contradiction",
    "merged text is not what its pieces are",
    session({
      views: [
        whole,
        view([
          ...start,
          ...one.slice(0, 2),
          { ...merged(one.slice(2, 5)), content: "a b x " },
          ...one.slice(5),
          ...two
        ])
      ]
    })
  ],
  [
    "contradiction",
    "merged text covers another frame",
    session({
      views: [whole, view([...start, ...one.slice(0, 2), merged(one.slice(2, 6)), ...one.slice(6), ...two])]
    })
  ],
  [
    "interleaved",
    "a run begins within another",
    seenBy([...start, ...withoutClose, ...runFrames(9, "r2", 3, ["d ", "e "])])
  ],
  [
    "interleaved",
    "a frame of another run is within a run",
    seenBy([...start, ...changed(3, { runId: "r2" })])
  ],
  [
    "interleaved",
    "a run goes on without having begun",
    seenBy([...start, ...changed(10, { type: "start", question: null })])
  ],
  ["begun twice", "a run begins twice", seenBy([...start, ...changed(2, { type: "begin" })])],
  [
    "closed twice",
    "a run is closed twice",
    seenBy([...start, ...one, frame(10, { runId: "r1", type: "close", category: "processing" })])
  ],
  [
    "closed twice",
    "a run is closed in two epochs",
    seenBy([
      ...start,
      ...one,
      ...two,
      placed("e2", 0),
      loaded(1, 2, 3, 4),
      frame(1, { epoch: "e2", runId: "r1", type: "close" })
    ])
  ],
  [
    "after close",
    "a run says something after its close",
    seenBy([...start, ...one, frame(10, { runId: "r1", type: "end", category: "processing" })])
  ],
  [
    "after close",
    "a run that was closed goes on in another epoch",
    seenBy([
      ...start,
      ...one,
      ...two,
      placed("e2", 0),
      loaded(1, 2, 3, 4),
      ...one.map((shown) => ({ ...shown, epoch: "e2" }))
    ])
  ],
  [
    "not closed",
    "a run is never closed",
    seenBy([...start, ...withoutClose], {
      history: rowsOf("r1", 1, ["a ", "b ", "c "]),
      runs: runs.slice(0, 1)
    })
  ],
  [
    "order",
    "a question overtakes another",
    seenBy([...start, ...runFrames(1, "r2", 3, ["d ", "e "]), ...runFrames(9, "r1", 1, ["a ", "b ", "c "])])
  ],
  [
    "row",
    "an answer is shown and not stored",
    seenBy([...start, ...one, ...two], { history: history.slice(0, 3) })
  ],
  ["row", "an answer is stored as another text", seenBy([...start, ...changed(8, { text: "a b c d " })])],
  [
    "row",
    "a question belongs to another run",
    seenBy([...start, ...one, ...two], {
      history: history.map((row) => (row.id === 3 ? { ...row, runId: "r1" } : row))
    })
  ],
  ["text", "streamed text is not in the answer", seenBy([...start, ...changed(4, { content: "x " })])],
  ["text", "the answer has more than was streamed", seenBy([...start, ...changed(5, { content: "" })])],
  [
    "text",
    "the answer is never said whole",
    seenBy([
      ...start,
      ...changed(8, { type: "end", category: "processing", messageId: null }),
      loaded(1, 2, 3, 4)
    ])
  ],
  [
    "text",
    "a broken answer is not the beginning of what was streamed",
    seenBy([...start, ...one, ...two], {
      history: history.map((row) => (row.id === 2 ? { ...row, message: "x", remark: "break_answer" } : row)),
      runs: [{ id: "r1", status: "lost", ran: null }, ...runs.slice(1)]
    })
  ],
  [
    "text",
    "a classic client is shown another text",
    session({
      views: [
        whole,
        view(
          [dialled(), ...changed(4, { content: "x " })].map((each) =>
            each.kind === "frame" ? { ...each, epoch: null } : each
          ),
          { native: false }
        )
      ]
    })
  ],
  [
    "question lost",
    "an accepted question is not stored",
    session({ views: [{ ...whole, asked: [asked(1), asked(3), asked(9)] }] })
  ],
  [
    "question repeated",
    "a question is stored twice",
    session({ history: [...history, ...rowsOf("r3", 1, ["z"]).map((row) => ({ ...row, id: row.id + 10 }))] })
  ],
  [
    "not acknowledged",
    "a question is never answered for",
    session({ views: [{ ...whole, asked: [asked(1), asked(3), asked(9, { acknowledged: false })] }] })
  ],
  [
    "stored twice",
    "a run has two answers",
    session({
      history: [...history, { id: 7, category: "answer", message: "a b c ", remark: "", runId: "r1" }]
    })
  ],
  ["no run", "a question has no run", session({ runs: runs.slice(1) })],
  [
    "no answer",
    "a run is done without an answer",
    session({ history: history.filter(({ id }) => id !== 2) })
  ],
  [
    "unfinished",
    "a run is still running",
    session({ runs: [...runs.slice(0, 1), { id: "r2", status: "running", ran: null }] })
  ],
  [
    "unfinished",
    "a question still waits",
    session({ runs: [...runs, { id: "r3", status: "queued", ran: null }] })
  ],
  ["missed", "a client knows nothing of the last answer", seenBy([...start, ...one])],
  [
    "missed",
    "a gap was told, and the history read too early",
    seenBy([
      ...start,
      ...one.slice(0, 4),
      left,
      dialled({ epoch: "e1", seq: 4 }),
      placed("e1", 9),
      loaded(1),
      ...two
    ])
  ],
  [
    "passed over",
    "an answer was missed between two others, and found in the history only after a later gap",
    seenBy([
      ...start,
      ...one.slice(0, 4),
      left,
      dialled(),
      placed("e1", 9),
      ...two,
      placed("e2", 0),
      loaded(1, 2, 3, 4)
    ])
  ]
]

describe("the checker finds out when", () => {
  for (const [kind, what, record] of faults) {
    it(`${what} (${kind})`, () => {
      expect(kinds(record)).toContain(kind)
    })
  }

  it("a client is shown nothing at all", () => {
    expect(kinds(seenBy(start))).toEqual(["missed"])
  })
})

it("what may still be on its way is told from what can never be right again", () => {
  const late = seenBy([...start, ...withoutClose], { runs: [{ id: "r1", status: "running", ran: null }] })
  const passing = check(late).filter((violation) => violation.passing)
  expect(new Set(passing.map(({ kind }) => kind))).toEqual(new Set(["unfinished", "not closed", "missed"]))
  expect(check(seenBy([...start, ...changed(4, { content: "x " })])).some(({ passing }) => !passing)).toBe(
    true
  )
})

describe("a run that is lost", () => {
  const ran = { node: "node-1", from: 50_000, until: 60_000 }
  const losses = (faults: ReadonlyArray<Fault>, status = "lost") => [
    ...checkLosses({ chatId: "c", runs: [{ id: "r1", status, ran }] }, faults)
  ]
  const fault = (kind: string, what: string, from: number, until: number | null): Fault => ({
    kind,
    what,
    from,
    until
  })

  it.each([
    ["its node was killed", fault("kill node", "node-1 for 1 s", 51_000, 53_000)],
    ["its node stood still, and does yet", fault("stop node", "node-1 for 12 s", 49_000, null)],
    ["Redis was emptied", fault("flush redis", "", 48_000, 48_001)],
    ["the database was away shortly before", fault("restart mariadb", "down for 4 s", 30_000, 36_000)]
  ])("is so because %s", (_, reason) => {
    expect(losses([reason])).toEqual([])
  })

  it.each([
    ["nothing happened", []],
    ["another node was killed", [fault("kill node", "node-2 for 1 s", 51_000, 53_000)]],
    ["its node had been killed before it began", [fault("kill node", "node-1 for 1 s", 40_000, 42_000)]],
    ["nodes were replaced", [fault("roll nodes", "one after the other", 45_000, 58_000)]],
    ["Redis was emptied afterwards", [fault("flush redis", "", 61_000, 61_001)]]
  ])("is a violation where %s", (_, faults) => {
    expect(losses(faults)).toHaveLength(1)
    expect(losses(faults, "done")).toEqual([])
  })
})
