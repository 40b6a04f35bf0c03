/**
 * A session's frames into its events. Holds little: whether the answer's bubble is open, which tells a whole answer
 * from what a broken run left, and the steps told.
 */
import type { QuestionEcho, ToolCategory } from "../protocol/frames.ts"
import type { ChatError, Question, SessionEvent } from "./events.ts"
import { messageFields, type ServerFrame } from "./frame.ts"
import { groundsOf } from "./grounds.ts"
import { fieldsOf, numberOrNull, textOf } from "./json.ts"
import { told } from "./telling.ts"

const isToolKind = (category: string): category is ToolCategory =>
  category === "tool" || category === "flow" || category === "knowledge"

export class Translator {
  private answering = false
  /** The steps told since the last answer: what closes a bubble repeats them. */
  private steps: ReadonlyArray<string> = []

  reset(): void {
    this.answering = false
    this.steps = []
  }

  translate(frame: ServerFrame, at: number): ReadonlyArray<SessionEvent> {
    if (frame.type === "begin") return this.begun(frame, frame.runId ?? "", at)
    return [...continued(frame, at), ...this.body(frame, at)]
  }

  private body(frame: ServerFrame, at: number): ReadonlyArray<SessionEvent> {
    const runId = frame.runId ?? ""
    const telling = told(frame, runId, at)
    if (telling !== null) {
      if (frame.category === "answer") this.reset()
      const steps = this.steps.join("\n")
      return telling.filter((event) => event.type !== "notice" || event.text !== steps)
    }
    switch (frame.type) {
      case "start":
        return this.started(frame, runId)
      case "stream":
        if (frame.intermediateSteps) this.steps = [...this.steps, frame.intermediateSteps]
        return streamed(frame, runId)
      case "end":
      case "end_cover":
        return this.ended(frame, runId)
      case "close":
        if (frame.category !== "processing") return []
        return frame.seq === null ? [{ type: "idle" }] : [{ type: "run_closed", runId }]
      default:
        return []
    }
  }

  private begun(frame: ServerFrame, runId: string, at: number): ReadonlyArray<SessionEvent> {
    const { question } = frame
    if (question === null) return []
    if (frame.seq === null) {
      if (question.client_msg_id === null) return []
      const status = textOf(frame.extra, "status") || "running"
      return [{ type: "accepted", clientMsgId: question.client_msg_id, runId, status }]
    }
    this.reset()
    return [
      {
        type: "run_started",
        runId,
        at,
        question: questionOf(question)
      }
    ]
  }

  private started(frame: ServerFrame, runId: string): ReadonlyArray<SessionEvent> {
    if (frame.category === "answer") this.answering = true
    if (!isToolKind(frame.category)) return []
    const message = messageFields(frame.message)
    return [
      {
        type: "tool_started",
        runId,
        toolId: textOf(frame.extra, "run_id"),
        kind: frame.category,
        name: textOf(message, "tool_key"),
        input: textOf(message, "input_str")
      }
    ]
  }

  private ended(frame: ServerFrame, runId: string): ReadonlyArray<SessionEvent> {
    const { category, messageId } = frame
    const text = typeof frame.message === "string" ? frame.message : ""
    if (isToolKind(category)) {
      const output = textOf(messageFields(frame.message), "output")
      const failed = frame.extra["failed"] === true
      return [{ type: "tool_ended", runId, toolId: textOf(frame.extra, "run_id"), output, failed }]
    }
    switch (category) {
      case "answer": {
        const whole = this.answering
        this.answering = false
        const grounds = groundsOf(frame.source, frame.extra)
        if (whole) return [{ type: "answer", runId, text, messageId, ...grounds }]
        return [{ type: "partial", runId, kind: "text", text, messageId }]
      }
      case "reasoning_answer":
        return [{ type: "partial", runId, kind: "reasoning", text, messageId }]
      case "processing":
        // With steps, even none (""), the processing is over; without the field the run was stopped.
        return frame.intermediateSteps === null ? [{ type: "stopped", runId }] : []
      case "error":
        return [{ type: "failed", runId: frame.runId, clientMsgId: refusedOf(frame), error: errorOf(frame) }]
      default:
        return []
    }
  }
}

const questionOf = (echo: QuestionEcho): Question => ({
  messageId: echo.message_id,
  text: echo.message,
  userId: echo.user_id,
  clientMsgId: echo.client_msg_id
})

/** A run that waited goes on: its first frame afterwards names the reply. */
const continued = (frame: ServerFrame, at: number): ReadonlyArray<SessionEvent> => {
  const { question, runId } = frame
  if (question === null || runId === null) return []
  return [{ type: "continued", runId, reply: questionOf(question), at }]
}

const streamed = (frame: ServerFrame, runId: string): ReadonlyArray<SessionEvent> => {
  const message = messageFields(frame.message)
  const reasoning = textOf(message, "reasoning_content")
  const text = textOf(message, "content")
  const events: Array<SessionEvent> = []
  if (reasoning !== "") events.push({ type: "reasoning", runId, text: reasoning })
  if (text !== "") events.push({ type: "text", runId, text })
  if (frame.intermediateSteps) events.push({ type: "step", runId, text: frame.intermediateSteps })
  return events
}

/** The question an error refuses, where the server says it. */
const refusedOf = (frame: ServerFrame): string | null => textOf(frame.extra, "client_msg_id") || null

export const errorOf = (frame: ServerFrame): ChatError => {
  const message = messageFields(frame.message)
  const text = textOf(message, "status_message") || "the server reported an error"
  const detail = textOf(fieldsOf(message, "data"), "exception")
  return {
    code: numberOrNull(message, "status_code") ?? 0,
    message: text,
    detail: detail === text ? "" : detail
  }
}

/** How long the server asks to wait before another try, in milliseconds. */
export const retryAfterOf = (frame: ServerFrame): number | null =>
  numberOrNull(fieldsOf(messageFields(frame.message), "data"), "retry_after_ms")
