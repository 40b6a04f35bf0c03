/**
 * A connection between a client and a process: each direction keeps its order and takes its time, and what is
 * on its way when it breaks is lost. Each end is told of the break in its own time.
 */

import type { Ask, Reply, ResumePoint } from "../../../src/protocol/payloads.ts"
import type { StopScope } from "../../../src/session/Session.ts"
import type { Domain, World } from "./VirtualTime.ts"

/** What clients say. */
export type Said =
  | Ask
  | Reply
  | { readonly _tag: "Stop"; readonly scope: Exclude<StopScope, "drain">; readonly runId: string | null }
  | { readonly _tag: "CheckStatus" }

/** What a process says: a frame as JSON, or an answer for this client alone. */
export type Told =
  | { readonly _tag: "Frame"; readonly json: string }
  | { readonly _tag: "Place"; readonly place: Place }
  | { readonly _tag: "Begin"; readonly json: string }
  | { readonly _tag: "Queued"; readonly clientMsgId: string | null }
  | { readonly _tag: "Repeated"; readonly clientMsgId: string | null }
  | { readonly _tag: "Refused"; readonly clientMsgId: string | null; readonly error: string }
  | { readonly _tag: "Direct"; readonly json: string }

export interface Place extends ResumePoint {
  readonly status: string
  readonly runId: string | null
  readonly recovered: boolean
}

export class Socket {
  readonly world: World
  readonly domain: Domain
  readonly resume: ResumePoint | null
  private readonly window: number
  private readonly slowness: number
  private readonly toClient: Array<Told> = []
  private readonly toNode: Array<Said> = []
  private open = true
  /** What the client has said and the process has not taken up. */
  private untaken = 0
  private serving = false
  onTold: (told: Told) => void = () => undefined
  onClientClosed: () => void = () => undefined
  onSaid: (said: Said) => void = () => undefined
  onNodeClosed: () => void = () => undefined
  onDrain: () => void = () => undefined

  /** `window`: frames that may be on their way to the client. */
  constructor(options: {
    readonly world: World
    readonly domain: Domain
    readonly resume: ResumePoint | null
    readonly window: number
    /** Milliseconds that the client takes for a frame at most. */
    readonly slowness: number
  }) {
    this.world = options.world
    this.domain = options.domain
    this.resume = options.resume
    this.window = options.window
    this.slowness = options.slowness
  }

  get isOpen(): boolean {
    return this.open
  }

  /** Whether something that was said here may still have its effect. */
  get isBusy(): boolean {
    return !this.domain.isDead && (this.serving || (this.open && this.untaken > 0))
  }

  /** To be called by the process, before and after it serves what it has taken up. */
  setServing(serving: boolean): void {
    this.serving = serving
    if (serving) this.untaken -= 1
  }

  get isFull(): boolean {
    return this.toClient.length >= this.window
  }

  /** To be called by the process. */
  tell(told: Told): void {
    if (!this.open || this.domain.isDead) return
    this.toClient.push(told)
    this.inTime(this.slowness, () => {
      const next = this.toClient.shift()
      if (next === undefined) return
      this.onTold(next)
      if (this.toClient.length === 0) this.world.post(() => this.onDrain(), this.domain)
    })
  }

  /** To be called by the client. */
  say(said: Said): void {
    if (!this.open) return
    this.untaken += 1
    this.toNode.push(said)
    this.inTime(0, () =>
      this.world.post(() => {
        const next = this.toNode.shift()
        if (next !== undefined) this.onSaid(next)
      }, this.domain)
    )
  }

  /** Breaks it: nothing more arrives on either side. */
  cut(): void {
    if (!this.open) return
    this.open = false
    this.toClient.length = 0
    this.toNode.length = 0
    this.inTime(0, () => this.onClientClosed())
    this.inTime(0, () => this.world.post(() => this.onNodeClosed(), this.domain))
  }

  private inTime(slowness: number, run: () => void): void {
    const { world } = this
    const slowest = Math.max(slowness, world.chance(0.1) ? 10 : 0)
    if (slowest === 0) world.post(run)
    else world.after(world.between(0, slowest), run)
  }
}
