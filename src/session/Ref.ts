/**
 * A reader's short text frames: a small number stands for the whole frame that bore it last, and the frames that follow
 * say that number, their own, and their text (docs/protocol.md, "Short text frames").
 *
 * The first frame of a bubble is whole, so a reader need not know what came before: neither which run goes on where it
 * resumes, nor which of a workflow's nodes speaks.
 */
import type { Around } from "../protocol/streaming.ts"
import type { Reading } from "./deltas.ts"

export class Ref {
  readonly number: number
  /** What is around the text of the frame that bore it. */
  private bearer: Around | null = null

  constructor(number: number) {
    this.number = number
  }

  /** Whether it stands for these frames. From here on it does: the caller sends one that bears it. */
  standsFor(around: Around): boolean {
    if (this.bearer === around) return true
    this.bearer = around
    return false
  }

  /** The whole frame, bearing the number. */
  given({ json, seq }: Reading): Reading {
    return { json: `${json.slice(0, -1)},"ref":${this.number}}`, seq }
  }

  /** The short frame, by what follows the number. */
  named({ json, seq }: Reading): Reading {
    return { json: `[${this.number},${json}`, seq }
  }
}
