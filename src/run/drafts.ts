/**
 * What a run has streamed and not yet stored as a message: its own text, and that of a workflow's nodes. The
 * checkpoints take from here what a crash would lose, and a stop stores it as broken answers.
 */
import * as Effect from "effect/Effect"
import { RunFailed } from "../protocol/errors.ts"
import type { Frame } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import type { NodeRun } from "../protocol/RunEvent.ts"
import { type DeltaKind, nodeMessage } from "../protocol/streaming.ts"
import { breakAnswer, type NewMessage } from "../storage/rows.ts"

/** A run's streamed text at most, in characters; beyond it the run fails. */
const maxChars = 4 * 1024 * 1024

export interface Streamed {
  readonly text: string
  readonly reasoning: string
}

/** What a checkpoint takes. */
export interface Part extends Streamed {
  /** It is all that there is, and not what came since. */
  readonly replaces: boolean
}

/** A bubble that was cut short: how it is stored, and how it is told. */
interface Unsettled {
  readonly row: NewMessage
  readonly frame: (messageId: number | null) => Frame
}

/** Pieces and not one string, which would be a rope with a node for each token: what young collections copy. */
class Growing {
  /** What checkpoints have stored. */
  private stored = ""
  private fresh: Array<string> = []

  add(piece: string): void {
    this.fresh.push(piece)
  }

  get whole(): string {
    return this.stored + this.fresh.join("")
  }

  get hasFresh(): boolean {
    return this.fresh.length > 0
  }

  /** What is not stored yet. */
  take(): string {
    const taken = this.fresh.join("")
    this.fresh = taken === "" ? [] : [taken]
    return taken
  }

  /** What was taken last is stored now. */
  keep(taken: string): void {
    if (taken === "") return
    this.stored += taken
    this.fresh.shift()
  }

  /** Nothing is stored any more. */
  renew(): void {
    this.fresh = this.hasFresh || this.stored !== "" ? [this.whole] : []
    this.stored = ""
  }
}

class Draft implements Streamed {
  readonly content = new Growing()
  readonly thought = new Growing()

  add(kind: DeltaKind, delta: string): void {
    if (kind === "content") this.content.add(delta)
    else this.thought.add(delta)
  }

  get text(): string {
    return this.content.whole
  }

  get reasoning(): string {
    return this.thought.whole
  }
}

interface NodeDraft {
  readonly run: NodeRun
  readonly outputKey: string
  readonly draft: Draft
}

export class Drafts {
  private readonly kind: RunFailed["kind"]
  private readonly nodes = new Map<string, NodeDraft>()
  private chars = 0
  private run = new Draft()
  /** While a checkpoint is being stored: ends when it is. */
  private storing: Effect.Effect<void> | null = null
  private settling = false

  constructor(kind: RunFailed["kind"]) {
    this.kind = kind
  }

  /** The run's own text. */
  get own(): Streamed {
    return this.run
  }

  add(kind: DeltaKind, delta: string): void {
    this.bound(delta.length)
    this.run.add(kind, delta)
  }

  /** A node's bubble: what it streams is to be added there. */
  open(run: NodeRun, outputKey: string): Pick<Draft, "add"> {
    const draft = new Draft()
    this.nodes.set(run.uniqueId, { run, outputKey, draft })
    return {
      add: (kind, delta) => {
        this.bound(delta.length)
        draft.add(kind, delta)
      }
    }
  }

  /**
   * What no checkpoint has stored yet, or null. Whoever takes it calls `stored` when it is, before `storing` ends; until
   * then nothing is settled, so that old text is never added after its message.
   */
  take(storing: Effect.Effect<void>): Part | null {
    if (this.settling || this.storing !== null) return null
    const { content, thought } = this.run
    // Streams side by side do not just grow at the end: then the whole is stored again.
    const replaces = this.nodes.size > 0
    if (!replaces && !content.hasFresh && !thought.hasFresh) return null
    this.storing = storing
    if (!replaces) return { text: content.take(), reasoning: thought.take(), replaces }
    const all = [...this.nodes.values()].map(({ draft }) => draft)
    const joined = (of: (draft: Streamed) => string) =>
      [this.run, ...all]
        .map(of)
        .filter((one) => one !== "")
        .join("\n\n")
    return { text: joined((draft) => draft.text), reasoning: joined((draft) => draft.reasoning), replaces }
  }

  /** What was taken is in the database; with null it is not, and is taken again. */
  stored(taken: Part | null): void {
    this.storing = null
    if (taken === null || taken.replaces) return
    this.run.content.keep(taken.text)
    this.run.thought.keep(taken.reasoning)
  }

  /** Runs `store`, which keeps the text of a node (null: the run's own) as a message, and forgets that text. */
  settle<A, E>(node: string | null, store: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      this.settling = true
      return Effect.zipRight(this.storing ?? Effect.void, store)
    }).pipe(
      Effect.tap(() => Effect.sync(() => this.forget(node))),
      Effect.ensuring(
        Effect.sync(() => {
          this.settling = false
        })
      )
    )
  }

  private forget(node: string | null): void {
    // The database has forgotten all of it: what else is streaming is stored from its beginning again.
    if (node === null) this.run = new Draft()
    else this.nodes.delete(node)
    this.run.content.renew()
    this.run.thought.renew()
    this.chars = [this.run, ...[...this.nodes.values()].map(({ draft }) => draft)].reduce(
      (sum, { text, reasoning }) => sum + text.length + reasoning.length,
      0
    )
  }

  /** Every bubble that was not completed. */
  unsettled(frames: Projection): ReadonlyArray<Unsettled> {
    const own = (
      [
        ["reasoning_answer", this.run.reasoning],
        ["answer", this.run.text]
      ] as const
    ).map(([category, text]) => ({
      text,
      row: broken(category, text),
      frame: (messageId: number | null) => frames.broken(category, text, messageId)
    }))
    const nodes = [...this.nodes.values()].map(({ run, outputKey, draft }) => {
      const message = nodeMessage(run, outputKey, draft.text, draft.reasoning)
      return {
        text: draft.text + draft.reasoning,
        row: broken("stream_msg", JSON.stringify(message)),
        frame: (messageId: number | null) => frames.nodeBroken(message, messageId)
      }
    })
    return [...own, ...nodes].filter(({ text }) => text !== "")
  }

  private bound(chars: number): void {
    this.chars += chars
    if (this.chars > maxChars) {
      throw new RunFailed({ reason: "the answer is longer than this server allows", kind: this.kind })
    }
  }
}

const broken = (category: string, message: string): NewMessage => ({
  is_bot: true,
  type: "end",
  category,
  message,
  remark: breakAnswer
})
