/**
 * A run that nobody has been told of. Its fiber exists, and waits: at its very start, or, where it was begun before its
 * question is accepted, at its first word or event.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RunFailed } from "../protocol/errors.ts"
import type { HeldSink } from "../run/HeldSink.ts"
import type { Recorder } from "../run/Recorder.ts"
import type { StorageError } from "../storage/StorageError.ts"

export interface ReadyOptions {
  readonly recorder: Recorder
  readonly fiber: Fiber.RuntimeFiber<void, RunFailed | StorageError>
  /** The lease under which its recorder tells. */
  readonly term: number
  readonly gate: Effect.Latch
  /** null: it has not begun. */
  readonly held: HeldSink | null
}

export class Ready {
  readonly recorder: Recorder
  readonly fiber: ReadyOptions["fiber"]
  private readonly term: number
  private readonly gate: Effect.Latch
  private readonly held: HeldSink | null
  private isTaken = false

  constructor({ recorder, fiber, term, gate, held }: ReadyOptions) {
    this.recorder = recorder
    this.fiber = fiber
    this.term = term
    this.gate = gate
    this.held = held
  }

  /** Takes it for the run that is about to be told of; false where it was begun under another lease. */
  takenUnder(term: number): boolean {
    this.isTaken = this.term === term
    return this.isTaken
  }

  /** It has been told of: what it has said meanwhile follows, and it goes on. */
  goOn(): void {
    this.held?.release()
    this.gate.unsafeOpen()
  }

  /** Nothing comes of it. */
  get giveUp(): Effect.Effect<void> {
    return Fiber.interruptFork(this.fiber)
  }

  /** The same, unless it was taken. */
  get giveUpUnused(): Effect.Effect<void> {
    return Effect.suspend(() => (this.isTaken ? Effect.void : this.giveUp))
  }
}
