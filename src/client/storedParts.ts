/** Rows of runs that told more than one answer, as the parts they were shown as. null: an ordinary row. */

import { fileLinks, groundsOf, placeOf, unfilledOf } from "./grounds.ts"
import type { StoredMessage } from "./history.ts"
import { parseFields, textOf } from "./json.ts"
import type { AssistantMessage, ReplyPart, RowPart, SaidPart } from "./messages.ts"
import { counted, prompted, rowPlace, settle, silence, withPart, workOf } from "./parts.ts"
import { readPrompt } from "./prompts.ts"
import { streamOf } from "./telling.ts"

export const withStoredPart = (run: AssistantMessage, row: StoredMessage): AssistantMessage | null => {
  const id = `m:${row.id}`
  const messageId = row.id
  switch (row.category) {
    case "question":
      return row.isBot ? asked(run, row) : withPart(run, replyOf(row))
    case "answer":
      return answered(run, row)
    case "report":
      return withPart(run, { kind: "gathered", id, messageId, text: row.intermediateSteps || row.message })
    case "divider":
      return withPart(run, { kind: "divider", id, messageId, text: row.message })
    case "processing": {
      const unfilled = unfilledOf(parseFields(row.extra) ?? {})
      const files = fileLinks(row.files)
      return files.reduce(
        (grown, file) => withPart(grown, { kind: "file", id, messageId, ...file, unfilled }),
        run
      )
    }
    case "output_msg":
    case "stream_msg":
      return withPart(run, nodeSaid(row))
    case "input":
    case "output_with_input_msg":
    case "output_with_choose_msg": {
      const prompt = readPrompt(row.category, parseFields(row.message) ?? {}, row.runId ?? "", row.id)
      return prompt === null ? run : prompted(run, prompt)
    }
    default:
      return null
  }
}

/** Whether a run that has this row last may be waiting for the person. */
export const asks = ({ category, receiver }: StoredMessage): boolean =>
  category === "input" ||
  category === "output_with_input_msg" ||
  category === "output_with_choose_msg" ||
  receiver?.["is_self"] === true

const replyOf = (row: StoredMessage): ReplyPart => ({
  kind: "reply",
  id: `m:${row.id}`,
  messageId: row.id,
  clientMsgId: null,
  text: row.message,
  delivery: "sent",
  error: null,
  createdAt: row.createdAt
})

const nodeSaid = (row: StoredMessage): SaidPart => {
  const message = parseFields(row.message) ?? {}
  const work = { reasoning: textOf(message, "reasoning_content"), steps: [], tools: [] }
  return {
    ...silence(
      `m:${row.id}`,
      textOf(message, "name"),
      row.category === "stream_msg" ? streamOf(message) : null
    ),
    text: textOf(message, "msg"),
    messageId: row.id,
    files: fileLinks(row.files),
    ...groundsOf(row.source, parseFields(row.extra) ?? {}),
    status: row.remark === "break_answer" ? "stopped" : "done",
    work
  }
}

const asked = (run: AssistantMessage, row: StoredMessage): AssistantMessage => {
  const place = placeOf(parseFields(row.extra) ?? {})
  if (place === null) return withPart(run, replyOf(row))
  const question = row.intermediateSteps || row.message
  const fresh: RowPart = {
    kind: "row",
    id: `m:${row.id}`,
    messageId: row.id,
    row: place.row,
    question,
    text: "",
    source: 0,
    links: [],
    pair: "",
    // Until its answer is found.
    status: "stopped",
    work: { reasoning: "", steps: [], tools: [] }
  }
  const at = rowPlace(run, place.row)
  const before = run.parts[at]
  const again = before?.kind === "row" && before.status !== "done"
  const parts = again ? run.parts.with(at, fresh) : [...run.parts, fresh]
  return counted({ ...run, parts }, place.progress)
}

const answered = (run: AssistantMessage, row: StoredMessage): AssistantMessage | null => {
  const extra = parseFields(row.extra) ?? {}
  const steps = row.intermediateSteps === "" ? run.steps : row.intermediateSteps.split("\n")
  const work = { ...workOf(run), steps }
  const place = placeOf(extra)
  if (place !== null) {
    const at = rowPlace(run, place.row)
    const before = run.parts[at]
    const part: RowPart = {
      kind: "row",
      id: before?.id ?? `m:${row.id}`,
      messageId: row.id,
      row: place.row,
      question: before?.kind === "row" ? before.question : "",
      text: row.message,
      ...groundsOf(row.source, extra),
      status: extra["failed"] === true ? "failed" : "done",
      work
    }
    const parts = before === undefined ? [...run.parts, part] : run.parts.with(at, part)
    return counted({ ...settle(run), parts }, place.progress)
  }
  if (row.sender === "") return brokenRow(run, row)
  const { receiver } = row
  const to =
    receiver === null ? null : { name: textOf(receiver, "name"), isSelf: receiver["is_self"] === true }
  const said: SaidPart = {
    ...silence(`m:${row.id}`, row.sender),
    to,
    text: row.message,
    messageId: row.id,
    status: row.remark === "break_answer" ? "stopped" : "done",
    work
  }
  return withPart(settle(run), said)
}

/** What a stopped batch had of the row in progress. */
const brokenRow = (run: AssistantMessage, row: StoredMessage): AssistantMessage | null => {
  const last = run.parts.at(-1)
  if (row.remark !== "break_answer" || last?.kind !== "row" || last.status !== "stopped") return null
  const part: RowPart = { ...last, text: row.message, messageId: row.id, work: workOf(run) }
  return { ...settle(run), status: "stopped", parts: run.parts.with(-1, part) }
}
