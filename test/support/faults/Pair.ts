/** One connection through the proxy: two sockets, and a pipe each way that can be held up. */
import { connect, type Socket } from "node:net"

/** What holds for all connections at the moment. */
export interface PairRules {
  stalled: boolean
  bytesPerSecond: number | null
}

interface PairEvents {
  /** The target did not take the connection: nothing was said to it, and another may be tried. */
  readonly onRefused: () => void
  readonly onEnd: () => void
}

export class Pair {
  private readonly near: Socket
  private readonly far: Socket
  private readonly pipes: ReadonlyArray<Pipe>
  private ended = false
  private readonly onEnd: () => void

  constructor(
    near: Socket,
    target: { readonly host: string; readonly port: number },
    connectWithin: number,
    rules: PairRules,
    { onRefused, onEnd }: PairEvents
  ) {
    this.near = near
    this.onEnd = onEnd
    const far = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.far = far
    this.pipes = [new Pipe(near, far, rules), new Pipe(far, near, rules)]
    const refused = () => {
      clearTimeout(timer)
      far.destroy()
      if (this.ended) return
      this.ended = true
      onRefused()
    }
    const timer = setTimeout(refused, connectWithin)
    far.once("error", refused)
    far.once("connect", () => {
      clearTimeout(timer)
      far.off("error", refused)
      far.on("error", () => this.reset())
      for (const pipe of this.pipes) pipe.start()
    })
    near.on("close", () => this.close())
    far.on("close", () => this.close())
    if (near.destroyed) this.close()
  }

  applyRules(): void {
    for (const pipe of this.pipes) pipe.turn()
  }

  /** As when a cable is pulled and the other end notices. */
  reset(): void {
    this.near.resetAndDestroy()
    this.far.resetAndDestroy()
    this.close()
  }

  private close(): void {
    if (this.ended) return
    // One side may have ended and the other still have something to say.
    if (!this.near.destroyed && !this.far.destroyed) return
    this.ended = true
    for (const socket of [this.near, this.far]) if (!socket.destroyed) socket.destroySoon()
    this.onEnd()
  }
}

/** Moves bytes one way, as the rules and the receiving end allow. */
class Pipe {
  private readonly from: Socket
  private readonly to: Socket
  private readonly rules: PairRules
  private started = false
  private full = false
  private resting: NodeJS.Timeout | null = null

  constructor(from: Socket, to: Socket, rules: PairRules) {
    this.from = from
    this.to = to
    this.rules = rules
    from.pause()
  }

  start(): void {
    this.started = true
    this.from.on("data", (chunk: Buffer) => this.pass(chunk))
    this.from.on("end", () => this.to.end())
    this.from.once("close", () => this.rest(0))
    this.to.on("drain", () => {
      this.full = false
      this.turn()
    })
    this.turn()
  }

  /** Flows or waits, as things stand. */
  turn(): void {
    if (!this.started) return
    if (this.rules.bytesPerSecond === null) this.rest(0)
    if (this.full || this.resting !== null || this.rules.stalled) this.from.pause()
    else this.from.resume()
  }

  private pass(chunk: Buffer): void {
    if (this.to.destroyed) return
    this.full = !this.to.write(chunk)
    const { bytesPerSecond } = this.rules
    if (bytesPerSecond !== null) this.rest((chunk.length / bytesPerSecond) * 1000)
    if (this.full || this.resting !== null) this.from.pause()
  }

  /** Takes nothing more for so long. */
  private rest(ms: number): void {
    if (this.resting !== null) clearTimeout(this.resting)
    this.resting = null
    if (ms < 1) return
    this.resting = setTimeout(() => {
      this.resting = null
      this.turn()
    }, ms)
  }
}
