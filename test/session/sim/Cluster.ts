/** Several nodes over one store and one database, their clients, and what can happen to all of them. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { App } from "../../../src/app/App.ts"
import type { SettingsShape } from "../../../src/config.ts"
import type { ResumePoint } from "../../../src/protocol/payloads.ts"
import { Messages } from "../../../src/storage/Messages.ts"
import { Runs } from "../../../src/storage/Runs.ts"
import type { Run } from "../../../src/storage/rows.ts"
import { Client, type ClientOptions } from "./Client.ts"
import type { History } from "./history.ts"
import { ModelStore, type Rules } from "./ModelStore.ts"
import { Process } from "./Process.ts"
import { Socket } from "./Socket.ts"
import { serveSocket } from "./serveSocket.ts"
import { Database } from "./storage.ts"
import type { World } from "./VirtualTime.ts"
import type { Watch, Weather } from "./Wire.ts"

/** How a client reads, and the node that it comes to as long as that lives. */
export interface Reading {
  readonly window: number
  readonly slowness: number
  readonly node?: number
}

export interface ClusterOptions {
  readonly world: World
  readonly nodes: number
  readonly settings: SettingsShape
  readonly app: App
  readonly rules: Rules
  readonly giveWay: number
  readonly slowest: number
  readonly watch?: Watch
}

const userId = 1

/** Milliseconds. */
const startAgainAfter = 200

export class Cluster {
  readonly options: ClusterOptions
  readonly store: ModelStore
  readonly database: Database
  readonly clients: Array<Client> = []
  private readonly lives: Array<Process | null>
  private readonly births: Array<number>
  readonly sockets = new Set<Socket>()
  private readonly gone = new Set<Process>()
  /** Those that were told to end: what they have not given back by then is taken from them. */
  private readonly left = new Set<Process>()
  private storeIsUp = true
  private databaseIsUp = true

  constructor(options: ClusterOptions) {
    this.options = options
    const { world, nodes, rules } = options
    this.store = new ModelStore(() => world.clock.unsafeCurrentTimeMillis(), rules)
    this.database = new Database(world)
    this.lives = Array.from({ length: nodes }, () => null)
    this.births = Array.from({ length: nodes }, () => 0)
    for (let node = 0; node < nodes; node++) this.start(node)
  }

  /** Its process, where it has one. */
  processOf(node: number): Process | null {
    const life = this.lives[node] ?? null
    return life === null || life.domain.isDead ? null : life
  }

  get living(): ReadonlyArray<Process> {
    return this.lives.filter((life) => life !== null).filter((life) => !life.domain.isDead)
  }

  start(node: number): void {
    if (this.processOf(node) !== null) return
    const { world, settings, app, giveWay, slowest, watch = null } = this.options
    const birth = (this.births[node] ?? 0) + 1
    this.births[node] = birth
    const name = `n${node}.${birth}`
    world.note(name, () => "starts")
    const { store, database } = this
    const process = new Process({
      world,
      name,
      store,
      database,
      app,
      giveWay,
      slowest,
      watch,
      onEnd: (ended) => this.hangUp(ended),
      // Whoever looks after the machine starts it again.
      onFailedStart: () => world.after(startAgainAfter, () => this.start(node)),
      settings: { ...settings, nodeId: `n${node}` }
    })
    if (!this.storeIsUp) process.storeWire.cut()
    if (!this.databaseIsUp) process.toDatabase.setCut(true)
    this.lives[node] = process
  }

  /** Others have a reason to take it for dead. */
  suspect(node: number): void {
    const life = this.processOf(node)
    if (life !== null) this.gone.add(life)
  }

  /** Between two steps of whatever runs there, at once or some steps later. */
  crash(node: number, steps: number): void {
    const life = this.processOf(node)
    if (life === null) return
    const crash = () => {
      if (life.domain.isDead) return
      this.options.world.note(life.domain.name, () => "crashes")
      life.kill()
      this.gone.add(life)
    }
    if (steps === 0) crash()
    else life.domain.lightFuse(steps, crash)
  }

  /** As on SIGTERM. */
  shutDown(node: number): void {
    const life = this.processOf(node)
    if (life === null) return
    this.options.world.note(life.domain.name, () => "shuts down")
    this.left.add(life)
    life.run(life.shutDown)
  }

  pause(node: number): void {
    const life = this.processOf(node)
    if (life === null) return
    this.options.world.note(life.domain.name, () => "stands still")
    this.gone.add(life)
    life.domain.pause()
  }

  resume(node: number): void {
    const life = this.processOf(node)
    if (life === null) return
    this.options.world.note(life.domain.name, () => "goes on")
    life.domain.resume()
  }

  /** One node loses its way to the store, or gets it back. */
  reachStore(node: number, reached: boolean): void {
    const life = this.processOf(node)
    if (life === null) return
    this.options.world.note(life.domain.name, () => `${reached ? "reaches" : "does not reach"} the store`)
    this.gone.add(life)
    if (!reached) life.storeWire.cut()
    else if (this.storeIsUp) life.storeWire.restore()
  }

  reachDatabase(node: number, reached: boolean): void {
    const life = this.processOf(node)
    if (life === null) return
    this.options.world.note(life.domain.name, () => `${reached ? "reaches" : "does not reach"} the database`)
    life.toDatabase.setCut(!reached || !this.databaseIsUp)
  }

  setStoreUp(up: boolean): void {
    this.options.world.note("world", () => `the store is ${up ? "up" : "down"}`)
    this.storeIsUp = up
    this.suspectAll()
    for (const life of this.living) {
      if (up) life.storeWire.restore()
      else life.storeWire.cut()
    }
  }

  /** The store has lost everything. */
  flush(): void {
    this.options.world.note("world", () => "the store is flushed")
    this.suspectAll()
    this.store.flush()
  }

  /** The store is a copy now that the latest changes have not reached. */
  failOver(lag: number): void {
    this.options.world.note("world", () => `the store fails over, ${lag} changes behind`)
    this.suspectAll()
    this.store.failOver(lag)
  }

  /** The frames of sessions that nobody runs have expired. */
  expire(): void {
    this.options.world.note("world", () => "frames expire")
    for (const key of this.store.keys) this.store.expire(key)
  }

  private suspectAll(): void {
    for (const life of this.living) this.gone.add(life)
  }

  setDatabaseUp(up: boolean): void {
    this.options.world.note("world", () => `the database is ${up ? "up" : "down"}`)
    this.databaseIsUp = up
    for (const life of this.living) life.toDatabase.setCut(!up)
  }

  setWeather(weather: { readonly store: Weather; readonly database: Weather }): void {
    this.options.world.note("world", () => `weather ${JSON.stringify(weather)}`)
    this.suspectAll()
    for (const life of this.living) {
      life.toStore.weather = weather.store
      life.toDatabase.weather = weather.database
    }
  }

  /** Its connections break. */
  private hangUp(life: Process): void {
    for (const socket of this.sockets) if (socket.domain === life.domain) socket.cut()
  }

  addClient(options: Pick<ClientOptions, "name" | "chatId" | "replyTo">, reading: Reading): Client {
    const { world } = this.options
    const { chatId } = options
    const client = new Client({
      ...options,
      world,
      connect: (resume) => this.connect(chatId, resume, reading),
      endedRuns: () =>
        new Set(
          this.runsOf(chatId)
            .filter(hasEnded)
            .map(({ id }) => id)
        )
    })
    this.clients.push(client)
    return client
  }

  private connect(chatId: string, resume: ResumePoint | null, { node, ...reading }: Reading): Socket | null {
    const { world, app } = this.options
    const life =
      node === undefined ? world.oneOf(this.lives) : (this.processOf(node) ?? world.oneOf(this.lives))
    if (life === null || life.domain.isDead || life.hub === null || life.isLeaving) return null
    const { hub, domain } = life
    const socket = new Socket({ world, domain, resume, ...reading })
    this.sockets.add(socket)
    life.run(serveSocket(hub, { flowId: app.flowId, chatId }, socket))
    return socket
  }

  runsOf(chatId: string): ReadonlyArray<Run> {
    return this.database.now(Context.get(this.database.stores, Runs).ofChat(chatId, 10_000))
  }

  /** A node may hold what it does not know of, where an answer to it was lost. It gives that back when it is asked to. */
  get isHeldInVain(): boolean {
    return this.store.keys.some((key) =>
      this.living.some(({ self }) => self === this.store.rowOf(key)?.owner)
    )
  }

  get chats(): ReadonlyArray<{ readonly chatId: string }> {
    const ids = new Set(this.clients.map(({ options }) => options.chatId))
    return [...ids].map((chatId) => ({ chatId }))
  }

  keyOf(chatId: string): string {
    return `${userId}:${this.options.app.flowId}:${chatId}`
  }

  /** Nodes that others have taken for dead without a reason. */
  private get wronged(): ReadonlySet<string> {
    const { slowest, settings } = this.options
    // Where calls take so long, a node that lives may be silent for a lease.
    if (slowest * 8 > Duration.toMillis(settings.leaseTime)) return new Set()
    const suspects = namesOf([...this.gone, ...this.left])
    return new Set([...this.store.robbed].filter((name) => !suspects.has(name)))
  }

  history(unrest: string | null): History {
    const messages = Context.get(this.database.stores, Messages)
    return {
      clients: this.clients.map((client) => client.history),
      runs: this.chats
        .flatMap(({ chatId }) => this.runsOf(chatId))
        .map((run) => ({ run, rows: this.database.now(messages.ofRun(run.id)) })),
      gone: new Set([...namesOf(this.gone), ...this.store.robbed]),
      wronged: this.wronged,
      unrest
    }
  }
}

const namesOf = (processes: Iterable<Process>): ReadonlySet<string> =>
  new Set([...processes].map(({ self }) => self))

export const hasEnded = ({ status }: Run): boolean =>
  status !== "queued" && status !== "running" && status !== "waiting_input"
