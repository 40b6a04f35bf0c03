/**
 * The sink of a run that has begun before its question is accepted: what it says is kept, and follows in the same order
 * once it is released. It keeps what a model says while one transaction commits.
 */
import type { DeltaSink, NodeRun, RunSink } from "../protocol/RunEvent.ts"

export class HeldSink implements RunSink {
  /** null: released. */
  private kept: Array<() => void> | null = []
  private readonly to: RunSink

  constructor(to: RunSink) {
    this.to = to
  }

  readonly text = (delta: string): void => this.say(() => this.to.text(delta))

  readonly reasoning = (delta: string): void => this.say(() => this.to.reasoning(delta))

  readonly node = (run: NodeRun, outputKey: string): DeltaSink => {
    let opened: DeltaSink | null = null
    const own = () => {
      opened ??= this.to.node(run, outputKey)
      return opened
    }
    return {
      text: (delta) => this.say(() => own().text(delta)),
      reasoning: (delta) => this.say(() => own().reasoning(delta))
    }
  }

  release(): void {
    const kept = this.kept ?? []
    this.kept = null
    for (const tell of kept) tell()
  }

  private say(tell: () => void): void {
    if (this.kept === null) tell()
    else this.kept.push(tell)
  }
}
