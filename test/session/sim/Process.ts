/** One life of a node: the program's own hub, with everything under it simulated. */

import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scope from "effect/Scope"
import type { App } from "../../../src/app/App.ts"
import { Catalogue } from "../../../src/app/Catalogue.ts"
import { Judge } from "../../../src/app/Judge.ts"
import { Settings, type SettingsShape } from "../../../src/config.ts"
import { longest, Pace, type PaceService } from "../../../src/Pace.ts"
import { Actions } from "../../../src/run/Actions.ts"
import { Checkpoints } from "../../../src/run/Checkpoints.ts"
import { Hub, type HubService } from "../../../src/session/Hub.ts"
import { LogStore } from "../../../src/session/shared/LogStore.ts"
import { Nodes } from "../../../src/session/shared/Nodes.ts"
import { SessionLog } from "../../../src/session/shared/SessionLog.ts"
import { Ticker, ticker } from "../../../src/session/Ticker.ts"
import type { ModelStore } from "./ModelStore.ts"
import { StoreWire } from "./StoreWire.ts"
import type { Database, Stores } from "./storage.ts"
import { storeService } from "./storeService.ts"
import { Domain, type World } from "./VirtualTime.ts"
import { type Watch, Wire } from "./Wire.ts"

export interface ProcessOptions {
  readonly world: World
  readonly name: string
  readonly store: ModelStore
  readonly database: Database
  readonly app: App
  readonly settings: SettingsShape
  /** How likely a fiber gives way before a step. */
  readonly giveWay: number
  /** Milliseconds of a slow leg to the store or the database, at most. */
  readonly slowest: number
  readonly watch: Watch | null
  /** It has ended because it could not begin. */
  readonly onFailedStart: () => void
  /** However it ends. */
  readonly onEnd: (process: Process) => void
}

/** As `redis/Redis.ts` has it. */
const storePatience = 3000
const databasePatience = 5000

export class Process {
  readonly domain: Domain
  readonly storeWire: StoreWire
  readonly toStore: Wire
  readonly toDatabase: Wire
  /** null: not up yet. */
  hub: HubService | null = null
  /** What it is called among all that ever ran; "" before it is up. */
  self = ""
  isLeaving = false
  private readonly onEnd: () => void
  private readonly runtime: Runtime.Runtime<never>
  private readonly scope = Effect.runSync(Scope.make())

  constructor(options: ProcessOptions) {
    const { world, name, store, database, giveWay, slowest, watch } = options
    const domain = new Domain(world, name, giveWay)
    this.domain = domain
    this.onEnd = () => options.onEnd(this)
    this.toStore = new Wire({ world, domain, ordered: true, patience: storePatience, slowest, watch })
    this.toDatabase = new Wire({ world, domain, ordered: false, patience: databasePatience, slowest, watch })
    this.storeWire = new StoreWire(store, this.toStore)
    this.runtime = Runtime.defaultRuntime.pipe(
      Runtime.disableRuntimeFlag(RuntimeFlags.RuntimeMetrics),
      Runtime.setFiberRef(FiberRef.currentLoggers, HashSet.empty()),
      Runtime.setFiberRef(FiberRef.currentScheduler, domain),
      Runtime.setFiberRef(
        DefaultServices.currentServices,
        Context.add(DefaultServices.liveServices, Clock.Clock, domain.clock)
      )
    )
    this.run(
      Effect.gen(this, function* () {
        const outside = Context.merge(database.over(this.toDatabase), around(options, domain, this.storeWire))
        const context = yield* grow(outside, this.scope)
        const hub = Context.get(context, Hub)
        yield* hub.recover
        this.self = Context.get(context, Nodes).self
        this.hub = hub
      }).pipe(
        // The program ends where it cannot look for what it had left.
        Effect.catchAll(() =>
          Effect.sync(() => {
            this.kill()
            options.onFailedStart()
          })
        )
      )
    )
  }

  /** Runs as a fiber of this process, from now on. */
  run(effect: Effect.Effect<unknown>): void {
    this.domain.scheduleTask(() => {
      Runtime.runFork(this.runtime)(effect)
    })
  }

  kill(): void {
    this.domain.kill()
    this.storeWire.hangUp()
    this.onEnd()
  }

  /** As on SIGTERM: what runs gets its time, and then everything is given back. */
  get shutDown(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isLeaving = true
      return this.hub === null ? Effect.void : this.hub.drain
    }).pipe(
      Effect.zipRight(Scope.close(this.scope, Exit.void)),
      Effect.zipRight(Effect.sync(() => this.kill())),
      Effect.uninterruptible
    )
  }
}

/** Two of five processes are so busy that text waits as long as it ever does. */
const pace = (domain: Domain): PaceService => {
  const { world } = domain
  const window = world.chance(0.6) ? 0 : longest
  let waiting: Array<() => void> = []
  return {
    window: () => window,
    wait: (then) => {
      waiting.push(then)
      if (waiting.length > 1) return
      world.after(
        window,
        () => {
          const all = waiting
          waiting = []
          for (const one of all) one()
        },
        domain
      )
    }
  }
}

const around = ({ store, app, settings }: ProcessOptions, domain: Domain, wire: StoreWire) => {
  const pacing = pace(domain)
  return Context.make(Settings, settings).pipe(
    Context.add(LogStore, Option.some(storeService(store, wire))),
    Context.add(Pace, pacing),
    Context.add(
      Ticker,
      ticker(pacing, (then) => domain.scheduleTask(then))
    ),
    Context.add(Actions, Actions.table),
    Context.add(Judge, {
      source: () => Effect.succeed({ source: 0, extra: {} }),
      mayRead: () => Effect.succeed(true)
    }),
    Context.add(Catalogue, {
      open: () => Effect.succeed(app),
      openDebug: () => Effect.succeed(app),
      openDraft: () => Effect.succeed(app)
    })
  )
}

/** The program's layers, one after the other: to put them together as one layer first costs a lot more. */
const grow = (outside: Outside, scope: Scope.Scope) =>
  Effect.gen(function* () {
    const checkpoints = yield* build(Checkpoints.Live, outside, scope)
    const nodes = yield* build(Nodes.Live, Context.merge(outside, checkpoints), scope)
    const known = Context.merge(Context.merge(outside, checkpoints), nodes)
    const all = Context.merge(known, yield* build(SessionLog.Live, known, scope))
    return Context.merge(all, yield* build(Hub.Live, all, scope))
  })

const build = <A, E, R>(layer: Layer.Layer<A, E, R>, known: Context.Context<R>, scope: Scope.Scope) =>
  Effect.provide(Layer.buildWithScope(layer, scope), known)

type Outside = Context.Context<Stores | Settings | LogStore | Ticker | Actions | Judge | Catalogue>
