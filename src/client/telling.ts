/** Frames of runs that are more than one question and its answer, as events. null: none of these. */
import type { RunTelling, SessionEvent } from "./events.ts"
import { messageFields, type ServerFrame } from "./frame.ts"
import { fileLinks, groundsOf, placeOf, unfilledOf } from "./grounds.ts"
import { type Fields, textOf } from "./json.ts"
import { type Prompt, readPrompt } from "./prompts.ts"

export const told = (frame: ServerFrame, runId: string, at: number): ReadonlyArray<SessionEvent> | null => {
  switch (frame.category) {
    case "node_run":
      return nodeRun(frame, runId, at)
    case "stream_msg":
      return nodeStream(frame, runId)
    case "guide_word": {
      const text = typeof frame.message === "string" ? frame.message : guideOf(frame, "guide_word", "msg")
      return text === "" ? [] : [{ type: "guide", runId, text }]
    }
    case "guide_question": {
      const questions = questionsOf(frame.message)
      return questions.length === 0 ? [] : [{ type: "starters", runId, questions }]
    }
    case "input":
    case "output_with_input_msg":
    case "output_with_choose_msg": {
      const message = messageFields(frame.message)
      const prompt = readPrompt(frame.category, message, runId, frame.messageId)
      return prompt === null
        ? []
        : [...attachedOf(frame, message, runId), { type: "prompted", runId, prompt }]
    }
    case "output_msg":
      return [outputOf(frame, runId)]
    case "question":
      return frame.type === "end" ? [rowAsked(frame, runId)] : []
    case "report":
      return frame.type === "end" ? [gatheredOf(frame, runId)] : []
    case "divider":
      return frame.type === "end" ? [dividerOf(frame, runId)] : []
    case "answer":
      return frame.type === "end" || frame.type === "end_cover" ? answered(frame, runId) : null
    case "processing":
      return processing(frame, runId)
    default:
      return null
  }
}

const guideOf = (frame: ServerFrame, ...names: ReadonlyArray<string>): string => {
  const message = messageFields(frame.message)
  return names.map((name) => textOf(message, name)).find((text) => text !== "") ?? ""
}

const questionsOf = (message: unknown): ReadonlyArray<string> => {
  const listed = Array.isArray(message) ? message : messageFields(message)["guide_question"]
  const isQuestion = (each: unknown): each is string => typeof each === "string" && each.trim() !== ""
  return (Array.isArray(listed) ? listed : []).filter(isQuestion)
}

/** Files that come with a question are told before it. */
const attachedOf = (frame: ServerFrame, message: Fields, runId: string): ReadonlyArray<RunTelling> => {
  const files = fileLinks(frame.files)
  if (files.length === 0) return []
  return [
    {
      type: "node_said",
      runId,
      stream: null,
      name: textOf(message, "name"),
      text: "",
      reasoning: "",
      files,
      messageId: null,
      ...groundsOf(0, {})
    }
  ]
}

const outputOf = (frame: ServerFrame, runId: string): RunTelling => {
  const message = messageFields(frame.message)
  return {
    type: "node_said",
    runId,
    stream: null,
    name: textOf(message, "name"),
    text: textOf(message, "msg"),
    reasoning: "",
    files: fileLinks(frame.files),
    messageId: frame.messageId,
    ...groundsOf(frame.source, frame.extra)
  }
}

const nodeRun = (frame: ServerFrame, runId: string, at: number): ReadonlyArray<RunTelling> => {
  const message = messageFields(frame.message)
  const uniqueId = textOf(message, "unique_id")
  if (frame.type === "start") {
    const name = textOf(message, "name")
    return [{ type: "node_started", runId, uniqueId, nodeId: textOf(message, "node_id"), name, at }]
  }
  const reason = textOf(message, "reason")
  return [{ type: "node_ended", runId, uniqueId, reason, log: message["log_data"] ?? null, at }]
}

const nodeStream = (frame: ServerFrame, runId: string): ReadonlyArray<RunTelling> => {
  const message = messageFields(frame.message)
  const stream = streamOf(message)
  const name = textOf(message, "name")
  const text = textOf(message, "msg")
  const reasoning = textOf(message, "reasoning_content")
  if (frame.type === "start") return []
  if (frame.type === "stream") return [{ type: "node_text", runId, stream, name, text, reasoning }]
  const files = fileLinks(frame.files)
  const grounds = groundsOf(frame.source, frame.extra)
  return [
    {
      type: "node_said",
      runId,
      stream,
      name,
      text,
      reasoning,
      files,
      messageId: frame.messageId,
      ...grounds
    }
  ]
}

/** Which of the texts that are written side by side. */
export const streamOf = (message: Fields): string =>
  `${textOf(message, "unique_id")}/${textOf(message, "output_key")}`

const rowAsked = (frame: ServerFrame, runId: string): RunTelling => {
  const { row, progress } = placeOf(frame.extra) ?? { row: 0, progress: null }
  const text = frame.intermediateSteps ?? textOf({ message: frame.message }, "message")
  return { type: "row_asked", runId, row, text, progress, messageId: frame.messageId }
}

const gatheredOf = ({ intermediateSteps, messageId }: ServerFrame, runId: string): RunTelling => ({
  type: "gathered",
  runId,
  text: intermediateSteps ?? "",
  messageId
})

const dividerOf = ({ message, messageId }: ServerFrame, runId: string): RunTelling => ({
  type: "divider",
  runId,
  text: typeof message === "string" ? message : "",
  messageId
})

/** One of many answers, or what someone said. An ordinary answer is none of these. */
const answered = (frame: ServerFrame, runId: string): ReadonlyArray<SessionEvent> | null => {
  const { messageId, sender, receiver } = frame
  const text = typeof frame.message === "string" ? frame.message : ""
  const place = placeOf(frame.extra)
  if (place !== null) {
    const failed = frame.extra["failed"] === true
    const grounds = groundsOf(frame.source, frame.extra)
    const words = text || (frame.intermediateSteps ?? "")
    return [{ type: "row_answered", runId, ...place, text: words, failed, messageId, ...grounds }]
  }
  if (sender === "") return null
  const to =
    receiver === null ? null : { name: textOf(receiver, "name"), isSelf: receiver["is_self"] === true }
  const said: RunTelling = { type: "utterance", runId, speaker: sender, to, text, messageId }
  if (to?.isSelf !== true) return [said]
  return [said, { type: "prompted", runId, prompt: addressedBy(sender, runId, messageId) }]
}

/** Someone spoke to the person: the run waits for them. */
export const addressedBy = (sender: string, runId: string, messageId: number | null): Prompt => ({
  kind: "continue",
  runId,
  messageId,
  nodeId: "",
  name: sender,
  text: "",
  replyId: null
})

const processing = (frame: ServerFrame, runId: string): ReadonlyArray<SessionEvent> | null => {
  if (frame.type === "start" && frame.sender !== "") {
    return [{ type: "speaking", runId, speaker: frame.sender }]
  }
  if (frame.type !== "end") return null
  const files = fileLinks(frame.files)
  if (files.length > 0) {
    const unfilled = unfilledOf(frame.extra)
    const { messageId } = frame
    return files.map((file) => ({ type: "file" as const, runId, ...file, unfilled, messageId }))
  }
  // The steps again, or one line of its own: the translator knows which.
  return frame.intermediateSteps ? [{ type: "notice", runId, text: frame.intermediateSteps }] : null
}
