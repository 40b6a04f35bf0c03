/** Writes a run's frames into its session's log, and keeps the bubble that shows what is going on. */
import type { Frame, QuestionEcho } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import type { RunSink, Told } from "../protocol/RunEvent.ts"
import type { DeltaKind, StreamBubble } from "../protocol/streaming.ts"
import type { Drafts } from "./drafts.ts"

/** Where frames go: the session's log. */
export interface FrameSink {
  readonly append: (frame: Frame) => Frame
  readonly delta: (kind: DeltaKind, text: string, bubble: StreamBubble) => void
}

export class FrameWriter {
  readonly frames: Projection
  private readonly log: FrameSink
  /** Whether a bubble for what is going on is open. */
  private isOpen = false
  /** What it has shown, a line each. */
  private shown = ""
  /** Said with the next frame: the reply that the run goes on from. */
  private echo: QuestionEcho | null = null

  constructor(log: FrameSink, frames: Projection) {
    this.log = log
    this.frames = frames
  }

  /** What has been shown as intermediate steps since the last answer. */
  get steps(): string {
    return this.shown
  }

  append(frame: Frame): Frame {
    if (this.echo === null) return this.log.append(frame)
    const question = this.echo
    this.echo = null
    return this.log.append({ ...frame, question })
  }

  /** Text that is no part of a stream. */
  text(kind: DeltaKind, text: string): void {
    this.log.delta(kind, text, this.frames.bubble())
  }

  /** The first frames of a run: accepted, and a bubble for what is going on. */
  begin(question: QuestionEcho): Frame {
    const begun = this.append(this.frames.begin(question))
    if (this.frames.profile.opens) this.open()
    return begun
  }

  /** The run goes on after a reply. */
  goOn(reply: QuestionEcho): void {
    this.echo = reply
    if (this.frames.profile.opens) this.open()
  }

  step(text: string): void {
    if (!this.isOpen) this.open()
    this.shown += this.shown === "" ? text : `\n${text}`
    this.append(this.frames.step(text))
  }

  /** What comes next is shown without the steps until here. */
  forgetSteps(): void {
    this.shown = ""
  }

  private open(): void {
    this.isOpen = true
    this.append(this.frames.processingStarted())
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.append(this.frames.processingEnded(this.shown))
  }

  /** What becomes of the bubble when something else is told; `isOwnBubble`: that has a bubble of its own, and is kept. */
  turnPage(event: Told, isOwnBubble: boolean): void {
    switch (event._tag) {
      case "Notice":
        this.isOpen = event.next
        return
      case "Utterance":
        this.isOpen = event.receiver?.isSelf === false
        return
      // What is done to answer it opens a bubble of its own.
      case "Asked":
        this.isOpen = false
        return
      default:
        if (isOwnBubble) this.close()
    }
  }

  /** Where the run's text goes, synchronously: to its drafts and to the log. */
  sink(drafts: Drafts): RunSink {
    const bubble = this.frames.bubble()
    const own = (kind: DeltaKind) => (delta: string) => {
      if (!this.isOpen) this.open()
      drafts.add(kind, delta)
      this.log.delta(kind, delta, bubble)
    }
    return {
      text: own("content"),
      reasoning: own("reasoning_content"),
      node: (run, outputKey) => {
        const bubble = this.frames.nodeBubble(run, outputKey)
        const draft = drafts.open(run, outputKey)
        const ofNode = (kind: DeltaKind) => (delta: string) => {
          draft.add(kind, delta)
          this.log.delta(kind, delta, bubble)
        }
        return { text: ofNode("content"), reasoning: ofNode("reasoning_content") }
      }
    }
  }
}
