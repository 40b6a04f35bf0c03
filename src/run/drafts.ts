/**
 * What a run has streamed and not yet stored as a message: its own text, and that of a workflow's nodes. The
 * checkpoints take from here what a crash would lose, and a stop stores it as broken answers.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
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

/** A bubble that was cut short: how it is stored, and how it is told. */
interface Unsettled {
  readonly row: NewMessage
  readonly frame: (messageId: number | null) => Frame
}

class Draft {
  text = ""
  reasoning = ""
  private readonly count: (chars: number) => void

  constructor(count: (chars: number) => void) {
    this.count = count
  }

  add(kind: DeltaKind, delta: string): void {
    this.count(delta.length)
    if (kind === "content") this.text += delta
    else this.reasoning += delta
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
  private run = new Draft((chars) => this.bound(chars))
  /** How much of the run's own text is stored. */
  private storedText = 0
  private storedReasoning = 0
  /** While a checkpoint is being stored. */
  private storing: Deferred.Deferred<void> | null = null
  private settling = false

  constructor(kind: RunFailed["kind"]) {
    this.kind = kind
  }

  /** The run's own text. */
  get own(): Streamed {
    return this.run
  }

  add(kind: DeltaKind, delta: string): void {
    this.run.add(kind, delta)
  }

  /** A node's bubble. */
  open(run: NodeRun, outputKey: string): Draft {
    const draft = new Draft((chars) => this.bound(chars))
    this.nodes.set(run.uniqueId, { run, outputKey, draft })
    return draft
  }

  /**
   * What no checkpoint has stored yet, or null. Whoever takes it calls `stored` when it is; until then nothing
   * is settled, so that old text is never added after its message.
   */
  take(): (Streamed & { readonly replaces: boolean }) | null {
    if (this.settling || this.storing !== null) return null
    const { text, reasoning } = this.run
    // Streams side by side do not just grow at the end: then the whole is stored again.
    const replaces = this.nodes.size > 0
    if (!replaces && text.length === this.storedText && reasoning.length === this.storedReasoning) return null
    this.storing = Deferred.unsafeMake(FiberId.none)
    if (!replaces) {
      return {
        text: text.slice(this.storedText),
        reasoning: reasoning.slice(this.storedReasoning),
        replaces
      }
    }
    const all = [...this.nodes.values()].map(({ draft }) => draft)
    const joined = (of: (draft: Streamed) => string) =>
      [this.run, ...all]
        .map(of)
        .filter((one) => one !== "")
        .join("\n\n")
    return { text: joined((draft) => draft.text), reasoning: joined((draft) => draft.reasoning), replaces }
  }

  /** The part that was taken is in the database; with null it is not, and is taken again. */
  stored(part: Streamed | null): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { storing } = this
      this.storing = null
      if (part !== null && this.nodes.size === 0) {
        this.storedText += part.text.length
        this.storedReasoning += part.reasoning.length
      }
      return storing === null ? Effect.void : Effect.asVoid(Deferred.succeed(storing, undefined))
    })
  }

  /** Runs `store`, which keeps the text of a node (null: the run's own) as a message, and forgets that text. */
  settle<A, E>(node: string | null, store: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      this.settling = true
      return Effect.zipRight(this.storing === null ? Effect.void : Deferred.await(this.storing), store)
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
    this.storedText = 0
    this.storedReasoning = 0
    if (node === null) this.run = new Draft((chars) => this.bound(chars))
    else this.nodes.delete(node)
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
