/**
 * What Redis keeps of sessions, as `redisScripts.ts` says it, in memory: every step is one synchronous call.
 * And what can become of it: all gone, or a copy that lacks the latest changes.
 */
import * as Option from "effect/Option"
import type {
  Append,
  Appended,
  Claim,
  Claimed,
  Glance,
  Kept,
  Listener,
  Roll
} from "../../../src/session/shared/LogStore.ts"

interface Batch {
  readonly last: number
  readonly text: string
}

/** A session's hash and stream. */
interface Row {
  readonly owner: string
  readonly fence: number
  readonly epoch: string
  readonly seq: number
  readonly server: number | null
  readonly wanted: boolean
  readonly batches: ReadonlyArray<Batch>
}

/** How what is published reaches a node: it answers for order and delay. */
export type Deliver = (run: () => void) => void

interface Subscription {
  readonly listener: Listener
  readonly deliver: Deliver
}

/** Rules that a test can break, to see that it is noticed. */
export interface Rules {
  /** A batch is refused that somebody else than the holder has sent, or that does not follow the last one. */
  readonly fences: boolean
  /** A session that a living node holds is not given to another one. */
  readonly leases: boolean
  /** What is kept can be looked at, without which nobody finds out that a message was not heard. */
  readonly glances: boolean
}

export const whole: Rules = { fences: true, leases: true, glances: true }

/** Silent nodes are forgotten after an hour. */
const forgetNodes = 60 * 60 * 1000

export class ModelStore {
  private readonly now: () => number
  private readonly rules: Rules
  private readonly rows = new Map<string, Row>()
  private readonly beats = new Map<string, number>()
  private readonly channels = new Map<string, Set<Subscription>>()
  /** What rows were before each change, the latest last. */
  private readonly changes: Array<{ readonly key: string; readonly before: Row | undefined }> = []
  private server = 1
  /** Nodes that others have taken a session from. */
  readonly robbed = new Set<string>()
  private lastMicros = 0

  /** `now` in milliseconds. */
  constructor(now: () => number, rules: Rules = whole) {
    this.now = now
    this.rules = rules
  }

  private set(key: string, row: Row): void {
    this.changes.push({ key, before: this.rows.get(key) })
    this.rows.set(key, row)
  }

  /** Two steps are never taken in one microsecond. */
  private micros(): number {
    this.lastMicros = Math.max(this.now() * 1000, this.lastMicros + 1)
    return this.lastMicros
  }

  rowOf(key: string): Row | undefined {
    return this.rows.get(key)
  }

  /** Whether a run is in progress, as the last batch says; a node is to end what is left so. */
  isRunning(key: string): boolean {
    const last = this.rows.get(key)?.batches.at(-1)
    return last !== undefined && JSON.parse(last.text.split("\n", 1)[0] ?? "").status === "running"
  }

  get keys(): ReadonlyArray<string> {
    return [...this.rows.keys()]
  }

  claim(key: string, { self, dead, epoch, seq, known, continues }: Claim): Claimed {
    const row = this.rows.get(key)
    if (
      this.rules.leases &&
      row !== undefined &&
      row.owner !== "" &&
      row.owner !== self &&
      row.owner !== dead
    ) {
      this.set(key, { ...row, wanted: true })
      return { _tag: "Held", owner: row.owner }
    }
    if (dead !== null && row?.owner === dead) this.robbed.add(dead)
    const lost = row !== undefined && row.epoch === known.epoch && row.seq < known.seq
    const goesOn = continues && (row === undefined || row.owner === self)
    const isSame = row?.server === this.server
    const isNew = row === undefined || lost || !(isSame || goesOn)
    const fence = Math.max(this.micros(), (row?.fence ?? 0) + 1)
    const begun = isNew ? { epoch, seq, batches: [] } : row
    const server = goesOn && !isSame ? null : this.server
    this.set(key, { ...begun, owner: self, fence, server, wanted: row?.wanted ?? false })
    return { _tag: "Yours", fence: String(fence), epoch: begun.epoch, seq: begun.seq }
  }

  want(key: string): void {
    const row = this.rows.get(key)
    if (row !== undefined && row.owner !== "") this.set(key, { ...row, wanted: true })
  }

  append(key: string, { fence, after, last, batch }: Append): Appended {
    const row = this.rows.get(key)
    if (row === undefined) return { _tag: "Gone" }
    if (this.rules.fences && String(row.fence) !== fence) return { _tag: "Fenced" }
    if (this.rules.fences && row.seq !== after) return { _tag: "At", seq: row.seq }
    this.set(key, { ...row, seq: last, batches: [...row.batches, { last, text: batch }] })
    this.publish(liveChannel(key), batch)
    return { _tag: "Ok" }
  }

  release(key: string, fence: string): boolean {
    const row = this.rows.get(key)
    if (row === undefined || String(row.fence) !== fence || row.owner === "") return true
    this.set(key, { ...row, owner: "", wanted: false })
    return row.wanted
  }

  read(key: string, after: number): Option.Option<Kept> {
    return Option.map(Option.fromNullable(this.rows.get(key)), ({ epoch, seq, owner, batches }) => ({
      epoch,
      seq,
      owner,
      batches: batches.filter(({ last }) => last >= after).map(({ text }) => text)
    }))
  }

  glance(keys: ReadonlyArray<string>): ReadonlyArray<Glance | null> {
    return keys.map((key) => {
      const row = this.rows.get(key)
      if (row === undefined || !this.rules.glances) return null
      return { epoch: row.epoch, seq: row.seq, owner: row.owner }
    })
  }

  beat(self: string, { silentFor, all }: { readonly silentFor: number; readonly all: boolean }): Roll {
    const now = this.now()
    for (const [node, at] of this.beats) if (at <= now - forgetNodes) this.beats.delete(node)
    const wasKnown = this.beats.has(self)
    this.beats.set(self, now)
    const names = [...this.beats.keys()]
    const isSilent = (at: number) => at <= now - silentFor || at > now
    const silent = names.filter((name) => isSilent(this.beats.get(name) ?? 0))
    return { wasKnown, count: names.length, silent, all: all ? names : null }
  }

  setBeat(node: string, at: number): void {
    this.beats.set(node, at)
  }

  leave(self: string): void {
    this.beats.delete(self)
  }

  followers(key: string): number {
    return this.channels.get(liveChannel(key))?.size ?? 0
  }

  subscribe(channel: string, listener: Listener, deliver: Deliver): () => void {
    const known = this.channels.get(channel) ?? new Set()
    const subscription = { listener, deliver }
    known.add(subscription)
    this.channels.set(channel, known)
    deliver(() => listener.began())
    return () => known.delete(subscription)
  }

  note(key: string, text: string): void {
    for (const { listener, deliver } of this.channels.get(liveChannel(key)) ?? []) {
      deliver(() => listener.noted?.(text))
    }
  }

  publish(channel: string, text: string): void {
    for (const { listener, deliver } of this.channels.get(channel) ?? []) {
      deliver(() => listener.heard(text))
    }
  }

  /** Nothing is kept of a session any more. */
  lose(key: string): void {
    this.rows.delete(key)
  }

  /** Another process, without what this one kept. */
  flush(): void {
    this.server += 1
    this.rows.clear()
    this.beats.clear()
    this.changes.length = 0
  }

  /** Another process: a copy that the last `lag` changes have not reached. */
  failOver(lag: number): void {
    this.server += 1
    for (const { key, before } of this.changes.splice(Math.max(0, this.changes.length - lag)).reverse()) {
      if (before === undefined) this.rows.delete(key)
      else this.rows.set(key, before)
    }
  }

  /** The frames that are kept of a session that nobody runs have expired; where it stands is still known. */
  expire(key: string): void {
    const row = this.rows.get(key)
    if (row?.owner === "") this.set(key, { ...row, batches: [] })
  }
}

export const liveChannel = (key: string): string => `live:${key}`
export const inbox = (node: string): string => `node:${node}`
