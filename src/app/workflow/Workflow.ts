/**
 * A workflow: a graph of nodes that runs from its start, waits for people where its nodes ask them something,
 * and goes on from what was kept of it, on whichever server that is.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { ModelMessage } from "../../model/LanguageModel.ts"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Flow as FlowRecord } from "../../storage/rows.ts"
import type { App, Question } from "../App.ts"
import { onDisconnectOf } from "../onDisconnect.ts"
import { type Flow, type Person, resumeFlow, startFlow } from "./engine.ts"
import { decodeGraph, fault, type WorkflowFault } from "./Graph.ts"
import { type FlowNode, failed, type WorkflowBench } from "./NodeType.ts"
import { nodeTypes } from "./nodeTypes.ts"
import { planOf } from "./Plan.ts"
import { acceptReplies } from "./replies.ts"
import { type RunState, restore } from "./saved.ts"
import type { Said } from "./variables.ts"

/** Nodes of one workflow. */
export const maxNodes = 1_000

/** What a node needs and this server does not have. `reason` is for people. */
export interface Lack {
  readonly nodeId: string
  readonly type: string
  readonly reason: string
}

export const buildWorkflow = (record: FlowRecord, bench: WorkflowBench): Effect.Effect<App, AppNotBuilt> =>
  build(record.data, record.id, bench).pipe(
    Effect.filterOrFail(
      ({ lacks }) => lacks.length === 0,
      ({ lacks }) => fault(lacks.map(({ nodeId, reason }) => `node "${nodeId}": ${reason}`).join("; "))
    ),
    Effect.map(({ flow }) => appOf(record, flow)),
    Effect.mapError(({ reason }) => new AppNotBuilt({ flowId: record.id, reason }))
  )

/** Everything that keeps a graph from running here, node by node. Fails where the graph itself is wrong. */
export const whatLacks = (
  data: unknown,
  bench: WorkflowBench
): Effect.Effect<ReadonlyArray<Lack>, WorkflowFault> =>
  Effect.map(build(data, "", bench), ({ lacks }) => lacks)

const build = (data: unknown, flowId: string, bench: WorkflowBench) =>
  Effect.gen(function* () {
    const graph = yield* decodeGraph(data)
    if (graph.nodes.length > maxNodes) {
      return yield* fault(`the graph has ${graph.nodes.length} nodes (limit ${maxNodes})`)
    }
    const plan = yield* planOf(graph)
    const nodes = new Map<string, FlowNode>()
    const lacks: Array<Lack> = []
    for (const node of graph.nodes) {
      const { id, type, name } = node
      const nodeType = nodeTypes.get(type)
      if (nodeType === undefined) {
        lacks.push({ nodeId: id, type, reason: `this server knows no nodes of type "${type}"` })
        continue
      }
      const made = yield* nodeType.make(node, { ...bench, flowId })
      for (const reason of made.lacks ?? []) lacks.push({ nodeId: id, type, reason })
      nodes.set(id, { ...made, id, type, name })
    }
    const flow: Flow = { flowId, plan, nodes }
    return { flow, lacks }
  })

const appOf = (record: FlowRecord, flow: Flow): App => {
  const restored = (state: unknown): Either.Either<RunState, string> =>
    restore(state, (id) => flow.nodes.has(id))
  return {
    flowId: record.id,
    flowType: record.flow_type,
    kind: "workflow",
    name: record.name,
    onDisconnect: onDisconnectOf(record.data),
    inputKey: "input",
    answer: (question) => startFlow(flow, personOf(question)),
    resume: {
      accept: (state, reply) =>
        Either.flatMap(restored(state), ({ progress }) => acceptReplies(reply, progress.waiting, flow.nodes)),
      run: (state, reply, question) =>
        Either.match(
          Either.gen(function* () {
            const from = yield* restored(state)
            const { byNode } = yield* acceptReplies(reply, from.progress.waiting, flow.nodes)
            return { from, byNode }
          }),
          {
            onLeft: (reason) => Stream.fail(failed(reason)),
            onRight: ({ from, byNode }) => resumeFlow(flow, personOf(question), from, byNode)
          }
        )
    }
  }
}

const personOf = ({ userId, history }: Question): Person => ({
  userId,
  history: history.flatMap((message): ReadonlyArray<Said> => said(message))
})

/** Of the conversation before: what people and the model said, not the calls of tools. */
const said = (message: ModelMessage): ReadonlyArray<Said> => {
  if (message.content === "") return []
  if (message.role === "user") return [{ by: "human", text: message.content }]
  return message.role === "assistant" ? [{ by: "ai", text: message.content }] : []
}
