/** Turns an agent's events into a run's: text and reasoning as they come, each tool call when its arguments are whole. */
import * as Predicate from "effect/Predicate"
import type { RunEvent } from "../../protocol/RunEvent.ts"
import type { AgUiEvent } from "./agUiEvents.ts"

export interface Folded {
  readonly events: ReadonlyArray<RunEvent>
  /** The agent's last word. */
  readonly end: null | { readonly _tag: "Finished" } | AgentError | TooMuch
}

export interface AgentError {
  readonly _tag: "AgentError"
  readonly message: string
}

export interface TooMuch {
  readonly _tag: "TooMuch"
  readonly what: string
}

interface OpenCall {
  readonly callId: string
  readonly name: string
  args: string
  /** Under which id it was told; null: its arguments are not whole yet. */
  toldAs: string | null
  ended: boolean
}

const maxText = 4 * 1024 * 1024
const maxTrace = 1_000
const maxArguments = 256 * 1024
/** As for tools that run here. */
const maxOutput = 32 * 1024

/** Who speaks to the person; what is said in other roles is the agent's own business. */
const speaks = (role: string | null | undefined): boolean =>
  role === undefined || role === null || role === "assistant"

/** `newId` makes the ids that join a call's start and end. */
export const agUiFold = (newId: () => string) => {
  let text = ""
  let chars = 0
  let trace = 0
  let message: string | null = null
  let snapshot = ""
  let result = ""
  let interrupt = ""
  const unspoken = new Set<string>()
  const calls = new Map<string, OpenCall>()
  let chunked: OpenCall | null = null
  let longCall = false

  const said = (messageId: string | null | undefined, delta: string): ReadonlyArray<RunEvent> => {
    const id = messageId ?? message
    if (delta === "" || (id !== null && unspoken.has(id))) return []
    const apart = text !== "" && id !== message ? "\n\n" : ""
    message = id
    text += apart + delta
    chars += apart.length + delta.length
    return [{ _tag: "TextDelta", text: apart + delta }]
  }

  const thought = (delta: string | null | undefined): ReadonlyArray<RunEvent> => {
    if (!delta) return []
    chars += delta.length
    return [{ _tag: "ReasoningDelta", text: delta }]
  }

  const write = (call: OpenCall, piece: string): void => {
    call.args += piece
    longCall ||= call.args.length > maxArguments
  }

  const open = (callId: string, name: string): OpenCall => {
    const call = { callId, name, args: "", toldAs: null, ended: false }
    calls.set(callId, call)
    return call
  }

  const started = (call: OpenCall): ReadonlyArray<RunEvent> => {
    if (call.toldAs !== null) return []
    call.toldAs = newId()
    trace += 1
    return [
      {
        _tag: "ToolStarted",
        id: call.toldAs,
        category: "tool",
        name: call.name,
        input: call.args === "" ? "{}" : call.args,
        callId: call.callId,
        // Each call is a turn of its own: what the agent asked for at once, nobody tells us.
        turn: calls.size
      }
    ]
  }

  const ended = (call: OpenCall, output: string): ReadonlyArray<RunEvent> => {
    const begun = started(call)
    if (call.ended || call.toldAs === null) return begun
    call.ended = true
    return [...begun, { _tag: "ToolEnded", id: call.toldAs, output: cut(output), failed: false }]
  }

  /** A call that came in chunks ends with whatever comes after it. */
  const closeChunked = (): ReadonlyArray<RunEvent> => {
    if (chunked === null) return []
    const call = chunked
    chunked = null
    return started(call)
  }

  const on = (event: AgUiEvent): ReadonlyArray<RunEvent> => {
    switch (event.type) {
      case "TEXT_MESSAGE_START":
        if (!speaks(event.role)) unspoken.add(event.messageId)
        return []
      case "TEXT_MESSAGE_CONTENT":
        return said(event.messageId, event.delta)
      case "TEXT_MESSAGE_CHUNK":
        if (!speaks(event.role) && event.messageId) unspoken.add(event.messageId)
        return speaks(event.role) ? said(event.messageId, event.delta ?? "") : []
      case "REASONING_MESSAGE_CONTENT":
      case "REASONING_MESSAGE_CHUNK":
      case "THINKING_TEXT_MESSAGE_CONTENT":
        return thought(event.delta)
      case "TOOL_CALL_START":
        open(event.toolCallId, event.toolCallName)
        return []
      case "TOOL_CALL_ARGS": {
        const call = calls.get(event.toolCallId)
        if (call !== undefined) write(call, event.delta)
        return []
      }
      case "TOOL_CALL_END": {
        const call = calls.get(event.toolCallId)
        return call === undefined ? [] : started(call)
      }
      case "TOOL_CALL_CHUNK": {
        const id = event.toolCallId ?? chunked?.callId
        const before = id === chunked?.callId ? [] : closeChunked()
        if (id !== undefined) {
          chunked = calls.get(id) ?? open(id, event.toolCallName ?? "tool")
          write(chunked, event.delta ?? "")
        }
        return before
      }
      case "TOOL_CALL_RESULT": {
        const call = calls.get(event.toolCallId)
        return call === undefined ? [] : ended(call, event.content)
      }
      case "STEP_STARTED":
        trace += 1
        return [{ _tag: "Step", text: event.stepName.slice(0, 2_000) }]
      case "MESSAGES_SNAPSHOT":
        snapshot = lastWords(event.messages)
        return []
      case "RUN_FINISHED":
        result = typeof event.result === "string" ? event.result : ""
        interrupt = interruptIn(event.outcome)
        return [...calls.values()].flatMap((call) => ended(call, ""))
      case "RUN_ERROR":
        return []
    }
  }

  return {
    accept: (event: AgUiEvent): Folded => {
      const before = event.type === "TOOL_CALL_CHUNK" ? [] : closeChunked()
      const events = [...before, ...on(event)]
      if (chars > maxText) return { events, end: { _tag: "TooMuch", what: "an answer above 4 MiB" } }
      if (trace > maxTrace || calls.size > maxTrace) {
        return { events, end: { _tag: "TooMuch", what: `more than ${maxTrace} steps in one answer` } }
      }
      if (longCall) {
        return { events, end: { _tag: "TooMuch", what: "a tool call above 256 KiB" } }
      }
      if (event.type === "RUN_ERROR") return { events, end: { _tag: "AgentError", message: event.message } }
      return { events, end: event.type === "RUN_FINISHED" ? { _tag: "Finished" } : null }
    },
    /** What was said; where nothing was, what the agent sent instead of saying it. */
    text: (): string => text || snapshot || result || interrupt
  }
}

const cut = (text: string): string =>
  text.length <= maxOutput ? text : `${text.slice(0, maxOutput)}… (cut here)`

/** What the assistant said after the last question, of a list of all messages. */
const lastWords = (
  messages: ReadonlyArray<{ readonly role: string; readonly content?: unknown }>
): string => {
  const asked = messages.findLastIndex(({ role }) => role === "user")
  return messages
    .slice(asked + 1)
    .flatMap(({ role, content }) =>
      role === "assistant" && typeof content === "string" && content !== "" ? [content] : []
    )
    .join("\n\n")
}

/** The agent stops to ask the person something: its words are its answer, and the next question goes on. */
const interruptIn = (outcome: unknown): string => {
  if (!Predicate.hasProperty(outcome, "interrupts") || !Array.isArray(outcome.interrupts)) return ""
  return outcome.interrupts
    .flatMap((each: unknown) =>
      Predicate.hasProperty(each, "message") && typeof each.message === "string" ? [each.message] : []
    )
    .join("\n\n")
}
