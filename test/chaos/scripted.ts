/** Sessions made by hand for the checker's own tests: a log of runs, and clients that were shown parts of it. */
import type { Asked, Row, RunRow, Seen, SessionRecord, Shown, View } from "./record.ts"

export const chatId = "c1"

const blank: Shown = {
  kind: "frame",
  at: 0,
  epoch: "e1",
  first: null,
  seq: null,
  chatId,
  type: "info",
  category: "system",
  runId: null,
  content: "",
  reasoning: "",
  text: "",
  messageId: null,
  question: null,
  status: null,
  digest: "d"
}

export const frame = (seq: number, fields: Partial<Shown>): Shown => {
  const made = { ...blank, first: seq, seq, ...fields }
  return made.type === "stream" ? { ...made, digest: "" } : { ...made, digest: JSON.stringify(made) }
}

/** The frames of one run that answers question `questionId` with `words`, numbered from `first`. */
export const runFrames = (
  first: number,
  runId: string,
  questionId: number,
  words: ReadonlyArray<string>
): ReadonlyArray<Shown> => {
  const question = { messageId: questionId, message: `question ${questionId}`, clientMsgId: `q${questionId}` }
  const after = first + 2 + words.length
  const of = (seq: number, fields: Partial<Shown>) => frame(seq, { runId, ...fields })
  return [
    of(first, { type: "begin", category: "processing", question }),
    of(first + 1, { type: "start", category: "processing" }),
    ...words.map((content, i) => of(first + 2 + i, { type: "stream", category: "processing", content })),
    of(after, { type: "end", category: "processing" }),
    of(after + 1, { type: "start", category: "answer" }),
    of(after + 2, {
      type: "end_cover",
      category: "answer",
      text: words.join(""),
      messageId: questionId + 1
    }),
    of(after + 3, { type: "close", category: "processing" })
  ]
}

/** Several frames of text as one. */
export const merged = (frames: ReadonlyArray<Shown>): Shown => {
  const [head] = frames
  if (head === undefined) throw new Error("nothing to merge")
  return {
    ...head,
    seq: frames.at(-1)?.seq ?? null,
    content: frames.map(({ content }) => content).join("")
  }
}

export const dialled = (resume: { readonly epoch: string; readonly seq: number } | null = null): Seen => ({
  kind: "dialled",
  at: 0,
  resume
})

export const placed = (epoch: string, seq: number, recovered = false): Seen => ({
  kind: "placed",
  at: 0,
  epoch,
  seq,
  status: "idle",
  runId: null,
  recovered
})

export const loaded = (...ids: ReadonlyArray<number>): Seen => ({ kind: "loaded", at: 0, ids })
export const left: Seen = { kind: "left", at: 0, why: "cut" }

export const view = (seen: ReadonlyArray<Seen>, more: Partial<View> = {}): View => ({
  client: "a",
  native: true,
  seen,
  asked: [],
  attached: true,
  ...more
})

export const asked = (questionId: number, more: Partial<Asked> = {}): Asked => ({
  id: `q${questionId}`,
  text: `question ${questionId}`,
  acknowledged: true,
  insistent: true,
  ...more
})

/** The rows that such a run leaves. */
export const rowsOf = (
  runId: string,
  questionId: number,
  words: ReadonlyArray<string>
): ReadonlyArray<Row> => [
  { id: questionId, category: "question", message: `question ${questionId}`, remark: "", runId },
  { id: questionId + 1, category: "answer", message: words.join(""), remark: "", runId }
]

/** Two runs, both done: frames 1 to 9 and 10 to 17, and a client that was shown all of it and asked both. */
export const one = runFrames(1, "r1", 1, ["a ", "b ", "c "])
export const two = runFrames(10, "r2", 3, ["d ", "e "])
export const history = [...rowsOf("r1", 1, ["a ", "b ", "c "]), ...rowsOf("r2", 3, ["d ", "e "])]
export const runs: ReadonlyArray<RunRow> = [
  { id: "r1", status: "done", ran: null },
  { id: "r2", status: "done", ran: null }
]
export const start: ReadonlyArray<Seen> = [dialled(), placed("e1", 0), loaded()]
export const whole = view([...start, ...one, ...two], { asked: [asked(1), asked(3)] })

export const session = (more: Partial<SessionRecord> = {}): SessionRecord => ({
  chatId,
  views: [whole],
  history,
  runs,
  areAllRuns: true,
  ...more
})
