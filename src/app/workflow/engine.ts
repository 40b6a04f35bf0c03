/**
 * Runs a workflow's nodes as its plan and {@link Progress} say, side by side where they do not depend on each
 * other, and tells what happens. One fiber decides; each node runs in its own and reports back to it.
 *
 * Of every node that has begun the end is told, also of those that another node's failure interrupts; a run
 * that is stopped from outside ends at once.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { RunFailed } from "../../protocol/errors.ts"
import { type Deltas, type NodeRun, noUsage, type RunEvent } from "../../protocol/RunEvent.ts"
import type { Answering } from "../App.ts"
import { nodeEnded } from "./log.ts"
import { type FlowNode, failed, type NodeReply, type NodeResult, noReply, result, sum } from "./NodeType.ts"
import { telling } from "./outlet.ts"
import type { Plan } from "./Plan.ts"
import { begin, begun, done, next, resumed, wait } from "./progress.ts"
import { heard, type RunState, save } from "./saved.ts"
import { Reading, type Said } from "./variables.ts"

/** How many nodes run at the same time. */
export const concurrentNodes = 8

/** How often one node may run, from the start to the end: the way out of loops without one. */
export const maxSteps = 50

export interface Flow {
  readonly flowId: string
  readonly plan: Plan
  readonly nodes: ReadonlyMap<string, FlowNode>
}

export interface Person {
  readonly userId: number
  /** What was said before the run. */
  readonly history: ReadonlyArray<Said>
}

/** What a node's run has come to. */
interface Outcome {
  readonly node: FlowNode
  readonly run: NodeRun
  readonly reading: Reading
  readonly exit: Exit.Exit<NodeResult, RunFailed>
}

export const startFlow = (flow: Flow, person: Person): Answering =>
  conduct(flow, person, { progress: begun(flow.plan), variables: {}, said: [], usage: noUsage }, new Map())

/** `replies`: by node, of nodes that wait in `state`. */
export const resumeFlow = (
  flow: Flow,
  person: Person,
  state: RunState,
  replies: ReadonlyMap<string, NodeReply>
): Answering => conduct(flow, person, state, replies)

const conduct = (
  flow: Flow,
  person: Person,
  from: RunState,
  replies: ReadonlyMap<string, NodeReply>
): Answering =>
  telling<RunEvent, RunFailed, Deltas>((tell) =>
    Effect.scoped(
      Effect.gen(function* () {
        const outcomes = yield* Queue.unbounded<Outcome>()
        const fibers = yield* FiberMap.make<string>()
        const runs = new Map<string, { readonly run: NodeRun; readonly reading: Reading }>()
        let state = from

        const launch = (node: FlowNode, reply: NodeReply) =>
          Effect.gen(function* () {
            if ((state.progress.steps.get(node.id) ?? 0) > maxSteps) {
              return yield* failed(
                `node "${node.name}" has run ${maxSteps} times, which is the limit; the loop that it is in needs a way out`
              )
            }
            const uniqueId = yield* Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))
            const run = { uniqueId, nodeId: node.id, name: node.name }
            const history = [...person.history, ...state.said]
            const reading = new Reading(state.variables, history)
            runs.set(node.id, { run, reading })
            yield* tell({ _tag: "NodeStarted", ...run })
            const { flowId } = flow
            const nodeOf = (id: string) => flow.nodes.get(id)
            const context = { run, flowId, userId: person.userId, reading, history, nodeOf, tell }
            yield* FiberMap.run(
              fibers,
              node.id,
              Effect.flatMap(Effect.exit(node.run(context, reply)), (exit) =>
                Queue.offer(outcomes, { node, run, reading, exit })
              )
            )
          })

        /** Begins what can begin, until nothing more can. */
        const advance: Effect.Effect<void, RunFailed, Deltas> = Effect.gen(function* () {
          for (;;) {
            if (state.progress.running.size >= concurrentNodes) return
            const node = flow.nodes.get(next(flow.plan, state.progress) ?? "")
            if (node === undefined) return
            if (node.prompt === undefined) {
              state = { ...state, progress: begin(state.progress, node.id) }
              yield* launch(node, noReply)
            } else {
              const prompt = node.prompt(new Reading(state.variables, [...person.history, ...state.said]))
              state = { ...state, progress: wait(state.progress, node.id) }
              yield* tell(prompt)
            }
          }
        })

        const finish = (
          node: FlowNode,
          { outputs, handle, said }: Pick<NodeResult, "outputs" | "handle" | "said">,
          waits: boolean
        ) => {
          const kept = { ...state.variables[node.id], ...outputs }
          state = {
            ...state,
            progress: waits
              ? wait(state.progress, node.id)
              : done(flow.plan, state.progress, node.id, handle),
            variables: { ...state.variables, [node.id]: kept },
            said: heard(state.said, said)
          }
        }

        const settle = ({ node, run, reading, exit }: Outcome) =>
          Effect.gen(function* () {
            runs.delete(node.id)
            if (Exit.isSuccess(exit)) {
              state = { ...state, usage: sum([state.usage, exit.value.usage]) }
              finish(node, exit.value, exit.value.waits)
              return yield* tell(nodeEnded(run, reading, exit.value, null))
            }
            const reason = Option.match(Cause.failureOption(exit.cause), {
              onNone: () => "something went wrong in the server",
              onSome: (error) => error.reason
            })
            yield* tell(nodeEnded(run, reading, result({}), reason))
            return yield* Effect.failCause(
              Cause.map(
                exit.cause,
                ({ reason, about }) =>
                  new RunFailed({ reason: `node "${node.name}": ${reason}`, kind: "workflow", about })
              )
            )
          })

        /** Of what still runs when the run fails, the end is told as well. */
        const giveUp = (cause: Cause.Cause<RunFailed>) =>
          Effect.gen(function* () {
            yield* FiberMap.clear(fibers)
            for (const { run, reading } of runs.values()) {
              yield* tell(nodeEnded(run, reading, result({}), "interrupted: the run has failed"))
            }
            return yield* Effect.failCause(cause)
          })

        const work = Effect.gen(function* () {
          for (const [id, reply] of replies) {
            const node = flow.nodes.get(id)
            if (node === undefined) continue
            if (node.proceed === undefined) {
              state = { ...state, progress: resumed(state.progress, id) }
              yield* launch(node, reply)
            } else finish(node, node.proceed(reply), false)
          }
          yield* advance
          while (state.progress.running.size > 0) {
            yield* settle(yield* Queue.take(outcomes))
            yield* advance
          }
          if (state.progress.waiting.size === 0) return yield* tell({ _tag: "Finished", usage: state.usage })
          const saved = yield* Either.mapLeft(save(state), failed)
          return yield* tell({ _tag: "Waiting", state: saved })
        })
        yield* Effect.catchAllCause(work, giveUp)
      })
    )
  )
