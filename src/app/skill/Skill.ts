/** A skill: a graph of nodes, built from its sources to the one chain, or the report, that answers. */
import * as Effect from "effect/Effect"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Flow } from "../../storage/rows.ts"
import type { App, FormValues } from "../App.ts"
import { onDisconnectOf } from "../onDisconnect.ts"
import { buildGraph, type Ending, type OnNode } from "./buildGraph.ts"
import { makeForm, noValues, slotsOf } from "./form.ts"
import { decodeGraph, type Graph } from "./Graph.ts"
import type { Workbench } from "./NodeType.ts"
import { answerReport } from "./reportAnswer.ts"

export { buildGraph, type Ending, type Inputs, inputsOf, type OnNode } from "./buildGraph.ts"
export { decodeGraph } from "./Graph.ts"
export { type GraphLack, whatLacks } from "./lacking.ts"
export { inBuildOrder } from "./order.ts"

/** What every skill builds with; its id and its inputs' values come with it. */
export type SkillBench = Omit<Workbench, "flowId" | "values">

export const buildSkill = (flow: Flow, bench: SkillBench, onNode?: OnNode): Effect.Effect<App, AppNotBuilt> =>
  Effect.flatMap(
    Effect.mapError(decodeGraph(flow.data), ({ reason }) => new AppNotBuilt({ flowId: flow.id, reason })),
    (graph) => buildFilled(flow, graph, bench, noValues, onNode)
  )

const buildFilled = (
  flow: Flow,
  graph: Graph,
  bench: SkillBench,
  values: FormValues,
  onNode?: OnNode
): Effect.Effect<App, AppNotBuilt> =>
  buildGraph(graph, { ...bench, flowId: flow.id, values }, onNode).pipe(
    Effect.map((ending): App => {
      const slots = slotsOf(graph)
      return {
        flowId: flow.id,
        flowType: flow.flow_type,
        kind: "skill",
        name: flow.name,
        onDisconnect: onDisconnectOf(flow.data),
        ...answering(ending),
        ...(slots === null
          ? {}
          : {
              form: makeForm(slots, ending._tag === "Chain" && ending.takesQuestion, (given) =>
                buildFilled(flow, graph, bench, given)
              )
            })
      }
    }),
    Effect.mapError(({ reason }) => new AppNotBuilt({ flowId: flow.id, reason }))
  )

const answering = (
  ending: Ending
): Pick<App, "answer" | "asksModelFirst" | "inputKey" | "report" | "resume"> => {
  if (ending._tag === "Chain") {
    const { answer, inputKey, resume } = ending
    // Chains pass on what their agents do, so that a tool is called once its start was told.
    return { inputKey, answer, ...(resume === undefined ? { asksModelFirst: true } : { resume }) }
  }
  const { name, sections, variables } = ending
  const report = { name, sections, variables }
  return { inputKey: "report_name", report, answer: (question) => answerReport(report, question) }
}
