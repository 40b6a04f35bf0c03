/**
 * Where a run stands in its graph, as a value: which nodes are due, which run, which wait for a person.
 * Pure; `engine.ts` does what it says.
 *
 * A node that several lead to waits while anything that is still going on could lead to it: so branches that
 * run side by side come together, and a branch that a condition has left is not waited for. Arrivals before a
 * node begins are one arrival.
 */
import type { Plan } from "./Plan.ts"

export interface Progress {
  /** Something has led to them; they have not begun. */
  readonly due: ReadonlySet<string>
  readonly running: ReadonlySet<string>
  /** They wait for a person. */
  readonly waiting: ReadonlySet<string>
  /** How many times each has begun. */
  readonly steps: ReadonlyMap<string, number>
}

export const begun = (plan: Plan): Progress => ({
  due: new Set([plan.start]),
  running: new Set(),
  waiting: new Set(),
  steps: new Map()
})

/** The node to begin now; null: none can, until something that runs has ended or a person has answered. */
export const next = (plan: Plan, { due, running, waiting }: Progress): string | null => {
  const inOrder = [...due].sort((a, b) => (plan.order.get(a) ?? 0) - (plan.order.get(b) ?? 0))
  const elsewhere = [...running, ...waiting]
  const open = inOrder.filter(
    (node) =>
      // Of a node that runs already, what has led to it comes after.
      !elsewhere.includes(node) && (!plan.joins(node) || !elsewhere.some((one) => plan.reaches(one, node)))
  )
  const free = open.find(
    (node) => !plan.joins(node) || !inOrder.some((one) => one !== node && plan.reaches(one, node))
  )
  if (free !== undefined) return free
  // Those left are on circles and wait for each other: one that no other circle leads to begins.
  const first = open.find((node) => open.every((one) => !plan.reaches(one, node) || plan.reaches(node, one)))
  return first ?? null
}

export const begin = (progress: Progress, node: string): Progress => ({
  ...progress,
  due: without(progress.due, node),
  running: having(progress.running, node),
  steps: new Map(progress.steps).set(node, (progress.steps.get(node) ?? 0) + 1)
})

/** Instead of running, or after it has run, it waits. */
export const wait = (progress: Progress, node: string): Progress => ({
  ...progress,
  due: without(progress.due, node),
  running: without(progress.running, node),
  waiting: having(progress.waiting, node)
})

/** It has done its work: what it leads to is due. */
export const done = (plan: Plan, progress: Progress, node: string, handle: string | null): Progress => ({
  ...progress,
  due: new Set([...progress.due, ...plan.targets(node, handle)]),
  running: without(progress.running, node),
  waiting: without(progress.waiting, node)
})

/** A person has answered it, and it begins. */
export const resumed = (progress: Progress, node: string): Progress =>
  begin({ ...progress, waiting: without(progress.waiting, node) }, node)

const having = (set: ReadonlySet<string>, one: string): ReadonlySet<string> => new Set([...set, one])

const without = (set: ReadonlySet<string>, one: string): ReadonlySet<string> =>
  new Set([...set].filter((other) => other !== one))
