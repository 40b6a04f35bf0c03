import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { whatLacks } from "../../../src/app/workflow/Workflow.ts"
import { bench, build, dialogue, echo, end, graph, llm, run, start } from "./support.ts"

const faults: ReadonlyArray<readonly [what: string, data: unknown, why: RegExp]> = [
  ["nothing", null, /this is not a graph/],
  ["no nodes", { nodes: [], edges: [] }, /the graph has no nodes/],
  ["no start", graph([end, llm("llm_1", "x")], [["llm_1", "end_1"]]), /no start node/],
  [
    "two starts",
    graph(
      [start(), { ...start(), id: "start_2" }, end],
      [
        ["start_1", "end_1"],
        ["start_2", "end_1"]
      ]
    ),
    /more than one start node: "start_1" \(start\), "start_2"/
  ],
  ["an id twice", graph([start(), end, end], [["start_1", "end_1"]]), /two nodes have the id "end_1"/],
  [
    "an edge to nowhere",
    graph(
      [start(), end],
      [
        ["start_1", "end_1"],
        ["start_1", "gone"]
      ]
    ),
    /leads nowhere: there is no "gone"/
  ],
  [
    "a node on its own",
    graph([start(), end, llm("llm_1", "x")], [["start_1", "end_1"]]),
    /node "llm_1" \(llm\) is not connected/
  ],
  [
    "an unknown type",
    graph([start(), { id: "x_1", type: "magic" }], [["start_1", "x_1"]]),
    /node "x_1": this server knows no nodes of type "magic"/
  ],
  [
    "a field of a wrong type",
    graph([start(), { id: "llm_1", type: "llm", params: { user_prompt: 7 } }], [["start_1", "llm_1"]]),
    /node "llm_1" \(llm\): user_prompt: /
  ],
  [
    "a comparison that there is not",
    graph(
      [
        start(),
        {
          id: "c_1",
          type: "condition",
          params: {
            condition: [{ id: "a", conditions: [{ left_var: "x.y", comparison_operation: "like" }] }]
          }
        }
      ],
      [["start_1", "c_1"]]
    ),
    /no comparison that this server knows: "like"/
  ],
  [
    "an unknown way to ask",
    graph([start(), { ...dialogue("input_1"), tab: { value: "voice" } }], [["start_1", "input_1"]]),
    /does not know: "voice"/
  ],
  [
    "code",
    graph(
      [start(), { id: "code_1", type: "code", params: { code: "def main(): pass" } }],
      [["start_1", "code_1"]]
    ),
    /node "code_1": it runs Python code, for which this server has no sandbox/
  ],
  [
    "a report without a maker",
    graph([start(), { id: "report_1", type: "report" }], [["start_1", "report_1"]]),
    /no report maker/
  ],
  [
    "2,000 nodes",
    graph(
      [start(), ...Array.from({ length: 1_999 }, (_, index) => llm(`llm_${index}`, "x"))],
      Array.from(
        { length: 1_999 },
        (_, index) => [index === 0 ? "start_1" : `llm_${index - 1}`, `llm_${index}`] as const
      )
    ),
    /the graph has 2000 nodes \(limit 1000\)/
  ]
]

describe("Building a workflow", () => {
  it.effect.each(faults)("is refused in words: %s", ([, data, why]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(build(data))
      expect(error._tag).toBe("AppNotBuilt")
      expect(error.reason).toMatch(why)
    })
  )

  it.effect("names everything that a graph lacks here, node by node", () =>
    Effect.gen(function* () {
      const agent = {
        id: "agent_1",
        type: "agent",
        params: {
          tool_list: [
            { key: 5, label: "Bing", tool_key: "bing_search" },
            { key: 1, tool_key: "get_current_time" }
          ],
          sql_agent: { open: true }
        }
      }
      const data = graph(
        [start(), agent, { id: "tool_1", type: "tool", tool_key: "dalle" }, { id: "code_1", type: "code" }],
        [
          ["start_1", "agent_1"],
          ["agent_1", "tool_1"],
          ["tool_1", "code_1"]
        ]
      )
      const lacks = yield* whatLacks(data, bench(echo.service))
      expect(lacks.map(({ nodeId, type, reason }) => [nodeId, type, reason.slice(0, 40)])).toEqual([
        ["agent_1", "agent", "its agent asks a database in SQL, which "],
        ["agent_1", "agent", 'this server has no tool "bing_search" (B'],
        ["tool_1", "tool", 'this server has no tool "dalle" (tool_1)'],
        ["code_1", "code", "it runs Python code, for which this serv"]
      ])
    })
  )

  it.effect("leaves remarks on the canvas alone", () =>
    Effect.gen(function* () {
      const app = yield* build(graph([start(), { id: "note_1", type: "note" }, end], [["start_1", "end_1"]]))
      expect((yield* run(app)).lines.at(-1)).toBe("Finished")
    })
  )

  it.effect("runs a thousand nodes in a row", () =>
    Effect.gen(function* () {
      const nodes = [start(), ...Array.from({ length: 999 }, (_, index) => ({ ...end, id: `end_${index}` }))]
      const edges = nodes.slice(1).map(({ id }, index) => [nodes[index]?.id ?? "", id] as const)
      const ran = yield* run(yield* build(graph(nodes, edges)))
      expect(ran.events.filter((event) => event._tag === "NodeEnded")).toHaveLength(1_000)
    })
  )
})
