/** One history: everything about it is drawn from its seed. */
import * as Duration from "effect/Duration"
import { globalValue } from "effect/GlobalValue"
import { testSettings } from "../../support/settings.ts"
import { simApp } from "./app.ts"
import { Cluster } from "./Cluster.ts"
import { check } from "./check.ts"
import { type Rules, whole } from "./ModelStore.ts"
import { lastQuestions, plan, sizeOf } from "./plan.ts"
import { unrestOf } from "./rest.ts"
import { troubles } from "./troubles.ts"
import { World } from "./VirtualTime.ts"

export interface Simulated {
  readonly violations: ReadonlyArray<string>
  /** Virtual milliseconds. */
  readonly took: number
}

/** Milliseconds in which it must have come to rest when nothing goes wrong any more. */
const settling = 120_000

export const simulate = (
  seed: number,
  tell: ((line: string) => void) | null = null,
  rules: Rules = whole
): Simulated => {
  const world = new World(seed, tell)
  const size = sizeOf(world)
  const { active, nodes } = size
  const lease = world.between(400, 1600)
  const settings = {
    ...testSettings,
    leaseTime: Duration.millis(lease),
    inputWaitLimit: Duration.seconds(world.between(2, 6)),
    runOrphanTimeout: Duration.seconds(world.between(1, 8)),
    drainTimeout: Duration.millis(world.between(0, 2000)),
    maxRuns: world.oneOf([1, 2, 1000]),
    maxQueuedRuns: world.oneOf([1, 3, 16]),
    maxHeadStarts: world.oneOf([0, 1, 32])
  }
  const cluster = new Cluster({
    world,
    nodes,
    settings,
    app: simApp(world, "a".repeat(32), world.chance(0.8) ? "continue" : "cancel"),
    rules,
    giveWay: world.oneOf([0, 0.02, 0.1, 0.3]),
    slowest: world.oneOf([10, 100, 600])
  })
  plan(world, cluster, size)
  world.run(() => false, troubles(world, cluster, size.troubles, { active, lease }))
  let unrest = settle(world, cluster)
  if (unrest === null && (cluster.isHeldInVain || world.chance(0.1))) {
    lastQuestions(cluster, size)
    unrest = settle(world, cluster)
  }
  // Whatever still stirs is to change nothing.
  world.run(() => false, world.now + 500)
  const violations = check(cluster.history(unrest))
  forgetFibers()
  return { violations, took: world.now }
}

/** Why it has not come to rest in time; null: it has. */
const settle = (world: World, cluster: Cluster): string | null => {
  const end = world.now + settling
  let unrest = unrestOf(cluster)
  while (unrest !== null && world.now < end) {
    world.run(() => false, world.now + 250)
    unrest = unrestOf(cluster)
  }
  return unrest
}

/**
 * Fibers of processes that are gone never end, and Effect keeps a list of all that have not. Without this a
 * long test would keep every world that it has ended.
 */
const forgetFibers = (): void => {
  globalValue(Symbol.for("effect/FiberScope/Global"), () => ({ roots: new Set<unknown>() })).roots.clear()
}
