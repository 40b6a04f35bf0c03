/**
 * Folds the chunks of one `/chat/completions` answer: text and reasoning go to the sink at once, tool calls
 * are put together from their pieces, usage and finish reason are kept.
 *
 * The chunks are read by hand and not by a Schema: what is expected here is that servers put all sorts of things
 * into their chunks, and whatever has an unexpected shape must be passed over, field by field. It runs once per
 * token, too (0.4 µs; a Schema of the same fields took 1.5 µs beside 1.0 µs for `JSON.parse`).
 */
import type { TokenSink } from "../LanguageModel.ts"

interface CallInProgress {
  readonly index: number
  id: string
  name: string
  arguments: string
}

export interface Answer {
  readonly text: string
  readonly reasoning: string
  /** In the order the model began them; an id may be empty, where the server gave none. */
  readonly toolCalls: ReadonlyArray<{
    readonly id: string
    readonly name: string
    readonly arguments: string
  }>
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number }
  /** null until the server said it. */
  readonly finishReason: string | null
}

export type Fault =
  | { readonly fault: "too long" }
  /** The server reports an error inside its stream. */
  | { readonly fault: "upstream"; readonly error: unknown }

export interface AnswerFold {
  /** One parsed chunk, or a whole answer that was not streamed. */
  readonly accept: (chunk: unknown) => Fault | null
  /** A chunk that says this and nothing else. */
  readonly acceptText: (said: string) => Fault | null
  readonly finished: () => boolean
  /** Nothing of the answer has reached anybody yet. */
  readonly untouched: () => boolean
  readonly answer: () => Answer
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

export const field = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined)

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const count = (value: unknown): number => (typeof value === "number" && value > 0 ? Math.trunc(value) : 0)

/** Most send a string, some a list of parts. */
const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  return list(content)
    .map((part) => field(part, "text"))
    .filter((text) => typeof text === "string")
    .join("")
}

export const answerFold = (sink: TokenSink, maxChars: number): AnswerFold => {
  // Pieces and not strings: each of those would be a rope with a node for every token.
  const text: Array<string> = []
  const reasoning: Array<string> = []
  let chars = 0
  let finishReason: string | null = null
  let usage = { promptTokens: 0, completionTokens: 0 }
  const calls: Array<CallInProgress> = []

  /**
   * Pieces of a call share its `index`. Servers exist that leave the index out or say 0 for every call: there a
   * new id begins a new call.
   */
  const callOf = (piece: unknown): CallInProgress => {
    const id = field(piece, "id")
    const index = field(piece, "index")
    const known =
      typeof index === "number"
        ? calls.findLast((call) => call.index === index)
        : typeof id === "string" && id !== ""
          ? calls.findLast((call) => call.id === id)
          : calls.at(-1)
    if (known !== undefined) {
      if (typeof id !== "string" || id === "" || id === known.id) return known
      if (known.id === "") {
        known.id = id
        return known
      }
    }
    const call = {
      index: typeof index === "number" ? index : calls.length,
      id: typeof id === "string" ? id : "",
      name: "",
      arguments: ""
    }
    calls.push(call)
    return call
  }

  const acceptCall = (piece: unknown): void => {
    const made = field(piece, "function")
    const call = callOf(piece)
    const name = field(made, "name")
    // The name comes whole, and some servers repeat it with every piece.
    if (typeof name === "string" && call.name === "") call.name = name
    const written = field(made, "arguments")
    const more = typeof written === "string" ? written : isRecord(written) ? JSON.stringify(written) : ""
    call.arguments += more
    chars += more.length
  }

  const acceptText = (said: string): Fault | null => {
    chars += said.length
    if (chars > maxChars) return { fault: "too long" }
    if (said !== "") {
      text.push(said)
      sink.text(said)
    }
    return null
  }

  return {
    acceptText,
    accept: (chunk) => {
      const error = field(chunk, "error")
      if (error !== undefined && error !== null) return { fault: "upstream", error }
      const counted = field(chunk, "usage")
      if (isRecord(counted)) {
        usage = {
          promptTokens: count(counted.prompt_tokens),
          completionTokens: count(counted.completion_tokens)
        }
      }
      const choice = list(field(chunk, "choices")).find((one) => count(field(one, "index")) === 0)
      if (choice === undefined) return null
      const delta = field(choice, "delta") ?? field(choice, "message")
      const thought = textOf(field(delta, "reasoning_content") ?? field(delta, "reasoning"))
      const said = textOf(field(delta, "content")) + textOf(field(delta, "refusal"))
      const pieces = field(delta, "tool_calls")
      if (Array.isArray(pieces)) for (const piece of pieces) acceptCall(piece)
      chars += thought.length
      if (chars > maxChars) return { fault: "too long" }
      if (thought !== "") {
        reasoning.push(thought)
        sink.reasoning(thought)
      }
      const fault = acceptText(said)
      if (fault !== null) return fault
      const reason = field(choice, "finish_reason")
      if (typeof reason === "string" && reason !== "") finishReason = reason
      return null
    },
    finished: () => finishReason !== null,
    untouched: () => text.length === 0 && reasoning.length === 0,
    answer: () => ({
      text: text.join(""),
      reasoning: reasoning.join(""),
      toolCalls: calls.filter((call) => call.name !== ""),
      usage,
      finishReason
    })
  }
}
