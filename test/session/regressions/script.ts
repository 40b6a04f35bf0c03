/**
 * One history by hand: a few nodes whose calls take no time, clients that say what the test says, and troubles that
 * strike when a node asks something of the store or the database, not at some time.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { App } from "../../../src/app/App.ts"
import type { SettingsShape } from "../../../src/config.ts"
import type { OnBusy } from "../../../src/protocol/payloads.ts"
import { type Ending, Runs } from "../../../src/storage/Runs.ts"
import type { Run } from "../../../src/storage/rows.ts"
import { testSettings } from "../../support/settings.ts"
import type { Client } from "../sim/Client.ts"
import { Cluster } from "../sim/Cluster.ts"
import { check, streamed } from "../sim/check.ts"
import { whole } from "../sim/ModelStore.ts"
import { unrestOf } from "../sim/rest.ts"
import type { Place } from "../sim/Socket.ts"
import { type Fate, fair, type Watch } from "../sim/Wire.ts"
import { obedientApp } from "./app.ts"
import { OrderlyWorld } from "./OrderlyWorld.ts"

const chatId = "chat"

/** Milliseconds that anything may take, unless a test says otherwise: what takes longer has been forgotten. */
const soon = 10_000

/** In which it must have come to rest when nothing goes wrong any more. */
const settling = 60_000

/** Lines of what has happened that are shown where something does not come about. */
const shown = 60

interface Rule {
  readonly when: "arrives" | "carriedOut"
  readonly node: number
  readonly operation: string
  readonly isOnce: boolean
  readonly happens: () => Fate | null
}

interface Countdown {
  readonly when: Rule["when"]
  readonly node: number
  readonly then: () => void
  calls: number
}

export interface ScriptOptions {
  readonly nodes?: number
  readonly settings?: Partial<SettingsShape>
  readonly app?: App
}

export class Script {
  private readonly lines: Array<string> = []
  readonly world = new OrderlyWorld((line) => this.lines.push(line))
  readonly cluster: Cluster
  private rules: ReadonlyArray<Rule> = []
  private countdown: Countdown | null = null

  constructor({ nodes = 2, settings = {}, app = obedientApp }: ScriptOptions = {}) {
    this.cluster = new Cluster({
      world: this.world,
      nodes,
      settings: { ...testSettings, leaseTime: Duration.seconds(1), ...settings },
      app,
      rules: whole,
      giveWay: 0,
      slowest: 0,
      watch: this.watch
    })
    this.until("all nodes are up", () => this.cluster.living.every(({ hub }) => hub !== null))
  }

  private get watch(): Watch {
    return {
      arrives: (who, operation) => this.apply("arrives", who, operation),
      carriedOut: (who, operation) => {
        this.apply("carriedOut", who, operation)
      }
    }
  }

  private apply(when: Rule["when"], who: string, operation: string): Fate | null {
    const { countdown } = this
    if (countdown !== null && countdown.when === when && who.startsWith(`n${countdown.node}.`)) {
      countdown.calls -= 1
      if (countdown.calls === 0) {
        this.countdown = null
        countdown.then()
      }
    }
    const rule = this.rules.find(
      (one) => one.when === when && who.startsWith(`n${one.node}.`) && one.operation === operation
    )
    if (rule === undefined) return null
    if (rule.isOnce) this.drop(rule)
    return rule.happens()
  }

  private rule(rule: Rule): () => void {
    this.rules = [...this.rules, rule]
    return () => this.drop(rule)
  }

  private drop(rule: Rule): void {
    this.rules = this.rules.filter((other) => other !== rule)
  }

  /** What becomes of the next such call of the node. */
  next(node: number, operation: string, fate: Fate | (() => Fate | null)): void {
    const happens = typeof fate === "function" ? fate : () => fate
    this.rule({ when: "arrives", node, operation, isOnce: true, happens })
  }

  /** The same of every such call, until called off. */
  every(node: number, operation: string, fate: Fate): () => void {
    return this.rule({ when: "arrives", node, operation, isOnce: false, happens: () => fate })
  }

  /** Something happens as soon as the node's next such call is carried out, before the node knows. */
  after(node: number, operation: string, then: () => void): void {
    const happens = () => {
      then()
      return null
    }
    this.rule({ when: "carriedOut", node, operation, isOnce: true, happens })
  }

  /** Something happens as the node's call of that number, counted from now on, arrives or has been carried out. */
  atCall(node: number, calls: number, when: Rule["when"], then: () => void): void {
    this.countdown = { node, calls, when, then }
  }

  /** How many of those calls are still to come; 0: it has happened. */
  get callsToCome(): number {
    return this.countdown?.calls ?? 0
  }

  /** The next thing that a node says to another one is not heard there. */
  unheard(from: number, by: number): void {
    this.next(from, "tell", () => {
      this.deaf(by)
      return null
    })
    this.after(from, "tell", () => this.deaf(by, 0))
  }

  /** From here on the node hears nothing of what others say, or again. */
  deaf(node: number, unheard = 1): void {
    const wire = this.cluster.processOf(node)?.toStore
    if (wire !== undefined) wire.weather = { ...fair, unheard }
  }

  /** A client that is connected to this node, as long as that lives. */
  client(name: string, node: number): Client {
    const client = this.cluster.addClient(
      { name, chatId, replyTo: () => null },
      { window: 50, slowness: 0, node }
    )
    client.dial()
    this.until(`${name} is connected`, () => client.place !== null)
    // Until the node hears what the others tell.
    this.pass(20)
    return client
  }

  /** What is asked is what the question is known by. */
  ask(client: Client, text: string, onBusy: OnBusy = "enqueue"): void {
    client.ask({ _tag: "Ask", action: "default", inputs: { input: text }, clientMsgId: text, onBusy })
  }

  /** Stops a question, or whatever runs. */
  stop(client: Client, text: string | null = null): void {
    client.say({ _tag: "Stop", scope: "run", runId: text === null ? null : (this.run(text)?.id ?? null) })
  }

  reply(client: Client, body: string): void {
    client.say({ _tag: "Reply", action: "continue", body, clientMsgId: body })
  }

  run(text: string): Run | undefined {
    return this.cluster.runsOf(chatId).find(({ client_msg_id }) => client_msg_id === text)
  }

  /** What the database says of a question. */
  statusOf(text: string): string | undefined {
    return this.run(text)?.status
  }

  /** A question is ended behind the back of the node that runs it. */
  endInDatabase(text: string, ending: Ending): void {
    const { database } = this.cluster
    database.now(Context.get(database.stores, Runs).finish(this.run(text)?.id ?? "", ending))
  }

  /** What a client was told of a question, in short: deltas together are one line. */
  told(client: Client, text: string): ReadonlyArray<string> {
    const id = this.run(text)?.id
    const lines: Array<string> = []
    for (const entry of client.history.entries) {
      if (entry._tag !== "Frame" || entry.frame.run_id !== id) continue
      const line = `${entry.frame.type} ${entry.frame.category}`
      if (streamed(entry.frame) === null || lines.at(-1) !== line) lines.push(line)
    }
    return lines
  }

  /** The text that a client saw streamed in answer to a question. */
  streamed(client: Client, text: string): string {
    const id = this.run(text)?.id
    return client.history.entries
      .map((entry) => (entry._tag === "Frame" && entry.frame.run_id === id ? streamed(entry.frame) : null))
      .join("")
  }

  /** The number of the message that a client was told a question's answer under. */
  answerId(client: Client, text: string): number | null | undefined {
    const id = this.run(text)?.id
    const frames = client.history.entries.map((entry) => (entry._tag === "Frame" ? entry.frame : null))
    return frames.find((frame) => frame?.run_id === id && frame?.type === "end_cover")?.message_id
  }

  /** The number that it is stored under. */
  storedAnswerId(text: string): number | undefined {
    const id = this.run(text)?.id
    const stored = this.cluster.history(null).runs.find(({ run }) => run.id === id)
    return stored?.rows.find(({ category }) => category === "answer")?.id
  }

  /** Whether a client was asked what a question waits for. */
  isAsked(client: Client, text: string): boolean {
    return this.told(client, text).at(-1) === "end answer"
  }

  /** Where a client was told that it stands: once, and again whenever frames were missed. */
  places(client: Client): ReadonlyArray<Place> {
    return client.history.entries.flatMap((entry) => (entry._tag === "Opened" ? [entry.place] : []))
  }

  /** Whether a client knows the end of a question. */
  isOver(client: Client, text: string): boolean {
    return client.knowsEndOf(this.run(text)?.id ?? "")
  }

  /** Goes on until then. */
  until(what: string, isSo: () => boolean, within = soon): void {
    const { world } = this
    if (!world.run(isSo, world.now + within)) {
      throw new Error([`not within ${within} ms: ${what}`, ...this.lines.slice(-shown)].join("\n"))
    }
  }

  /** The node dies, before it takes another step. */
  crash(node: number): void {
    this.cluster.crash(node, 0)
  }

  pass(ms: number): void {
    this.world.run(() => false, this.world.now + ms)
  }

  /** What is wrong with the history when it has come to rest. */
  get violations(): ReadonlyArray<string> {
    const end = this.world.now + settling
    while (unrestOf(this.cluster) !== null && this.world.now < end) this.pass(250)
    const unrest = unrestOf(this.cluster)
    this.pass(500)
    return check(this.cluster.history(unrest))
  }
}

/** What most histories begin with: a client that will ask on one node, and another one that reads along on the next. */
export const begun = (options: ScriptOptions = {}) => {
  const script = new Script(options)
  return { script, asker: script.client("asker", 0), other: script.client("other", 1) }
}
