/** A world in which nothing is drawn: what is ready first runs first, as in a program that is not simulated. */
import { type Task, World } from "../sim/VirtualTime.ts"

export class OrderlyWorld extends World {
  override readonly random = () => 0.5

  constructor(tell: (line: string) => void) {
    super(0, tell)
  }

  protected override draw(): Task | null {
    return this.ready.shift() ?? null
  }
}
