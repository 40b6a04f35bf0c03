/**
 * What one socket says, as frames. Text may come in short frames, `[ref, seq, text]` or `[ref, seq, text, first_seq]`:
 * the whole frame that bore the `ref` last, with this text in its place. A server that makes none says all of it whole.
 */
import { messageFields, parseFrame, type ServerFrame } from "./frame.ts"
import { type Fields, parseList, textOf } from "./json.ts"

/** A frame that bore a ref, and where its text is. */
interface Model {
  readonly frame: ServerFrame
  readonly message: Fields
  readonly place: string
}

/** Of these, the one that says something is a frame's text. */
const places = ["content", "msg", "reasoning_content"]

export class FrameReader {
  private readonly models = new Map<number, Model>()

  /** Answers null for what is no frame at all, or a short one whose ref was not given. */
  read(text: string): ServerFrame | null {
    if (text.startsWith("[")) return this.short(text)
    const frame = parseFrame(text)
    if (frame !== null && frame.ref !== null) this.keep(frame.ref, frame)
    return frame
  }

  /** Another socket gives refs of its own. */
  forget(): void {
    this.models.clear()
  }

  private keep(ref: number, frame: ServerFrame): void {
    const message = messageFields(frame.message)
    const place = places.find((name) => textOf(message, name) !== "")
    if (place !== undefined) this.models.set(ref, { frame, message, place })
  }

  private short(said: string): ServerFrame | null {
    const [ref, seq, text, first = seq] = parseList(said) ?? []
    if (typeof ref !== "number" || typeof seq !== "number" || typeof text !== "string") return null
    const model = this.models.get(ref)
    if (model === undefined || typeof first !== "number") return null
    const { frame, message, place } = model
    return { ...frame, message: { ...message, [place]: text }, seq, firstSeq: first }
  }
}
