/** Small workflows, and what runs of them come to: everything that happened, in order, and the state that is left. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { App, Reply } from "../../../src/app/App.ts"
import { calculator } from "../../../src/app/tools/calculator.ts"
import { currentTime } from "../../../src/app/tools/currentTime.ts"
import type { WorkflowBench } from "../../../src/app/workflow/NodeType.ts"
import { buildWorkflow } from "../../../src/app/workflow/Workflow.ts"
import { DocumentFailed } from "../../../src/knowledge/Documents.ts"
import type { LanguageModelService, ModelMessage } from "../../../src/model/LanguageModel.ts"
import type { RunFailed } from "../../../src/protocol/errors.ts"
import { Deltas, type Passage, type RunEvent } from "../../../src/protocol/RunEvent.ts"
import type { Flow } from "../../../src/storage/rows.ts"
import { makeTranscript, says, scriptedModel } from "../scriptedModel.ts"

export interface NodeSketch {
  readonly id: string
  readonly type: string
  readonly name?: string
  readonly tab?: { readonly value: string }
  readonly tool_key?: string
  readonly params?: Readonly<Record<string, unknown>>
  /** More of single fields, beside their value. */
  readonly extra?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export type EdgeSketch = readonly [source: string, target: string, handle?: string]

export const graph = (nodes: ReadonlyArray<NodeSketch>, edges: ReadonlyArray<EdgeSketch>) => ({
  nodes: nodes.map(({ id, type, name = id, tab, tool_key, params = {}, extra = {} }) => ({
    id,
    type: "flowNode",
    data: {
      id,
      type,
      name,
      ...(tab === undefined ? {} : { tab }),
      ...(tool_key === undefined ? {} : { tool_key }),
      group_params: [
        { params: Object.entries(params).map(([key, value]) => ({ key, value, ...extra[key] })) }
      ]
    }
  })),
  edges: edges.map(([source, target, sourceHandle = "right_handle"]) => ({
    id: `${source}-${target}`,
    source,
    sourceHandle,
    target,
    targetHandle: "left_handle"
  }))
})

export const start = (params: Readonly<Record<string, unknown>> = {}): NodeSketch => ({
  id: "start_1",
  type: "start",
  params
})

export const dialogue = (id: string): NodeSketch => ({
  id,
  type: "input",
  tab: { value: "dialog_input" },
  params: { user_input: "", dialog_files_content: [], dialog_file_accept: "all" }
})

export const form = (id: string, items: ReadonlyArray<Readonly<Record<string, unknown>>>): NodeSketch => ({
  id,
  type: "input",
  tab: { value: "form_input" },
  params: { form_input: items }
})

export const llm = (id: string, prompt: string, shows = false): NodeSketch => ({
  id,
  type: "llm",
  tab: { value: "single" },
  params: { system_prompt: "", user_prompt: prompt, output_user: shows, temperature: 0.5 }
})

export const output = (id: string, msg: string): NodeSketch => ({
  id,
  type: "output",
  params: { message: { msg, files: [] }, output_result: { type: "", value: "" } }
})

export const asking = (id: string, msg: string): NodeSketch => ({
  id,
  type: "output",
  params: { message: { msg, files: [] }, output_result: { type: "input", value: "" } }
})

export const choosing = (id: string, msg: string, ...options: ReadonlyArray<string>): NodeSketch => ({
  id,
  type: "output",
  params: { message: { msg, files: [] }, output_result: { type: "choose", value: "" } },
  extra: {
    output_result: {
      options: options.map((option) => ({ id: option, label: option.toUpperCase(), value: "" }))
    }
  }
})

export const end: NodeSketch = { id: "end_1", type: "end" }

export const page = (text: string): Passage => ({
  text,
  fileId: "f1",
  fileName: "guide.md",
  page: 2,
  score: 1
})

export const bench = (model: LanguageModelService, more: Partial<WorkflowBench> = {}): WorkflowBench => ({
  model,
  library: { search: ({ text }) => Effect.succeed([page(`about ${text}`)]) },
  documents: {
    load: (fileId) =>
      fileId === "0".repeat(32)
        ? Effect.fail(new DocumentFailed({ reason: "the file is encrypted" }))
        : Effect.succeed([
            {
              text: `text of ${fileId.slice(0, 2)}`,
              fileId,
              fileName: `${fileId.slice(0, 2)}.txt`,
              page: null,
              boxes: [],
              url: null,
              heading: ""
            }
          ]),
    fetch: () => Effect.fail(new DocumentFailed({ reason: "no web here" }))
  },
  retrieval: {
    index: (docs) =>
      Effect.succeed({
        search: () =>
          Effect.succeed(
            docs.map(({ text, fileId, fileName, page: at }) => ({
              text,
              fileId,
              fileName,
              page: at,
              score: 1
            }))
          )
      })
  },
  tools: new Map(
    [calculator, currentTime].map((effect) => Effect.runSync(effect)).map((tool) => [tool.spec.name, tool])
  ),
  ...more
})

export const record = (data: unknown): Flow => ({
  id: "a".repeat(32),
  name: "Steps",
  description: "",
  flow_type: 10,
  status: 2,
  user_id: 1,
  data,
  version_id: 1,
  create_time: new Date(0),
  update_time: new Date(0)
})

export const echo = scriptedModel((request, sink) =>
  says(`<${request.messages.at(-1)?.content ?? ""}>`)(request, sink)
)

export const build = (
  data: unknown,
  model: LanguageModelService = echo.service,
  more: Partial<WorkflowBench> = {}
) => buildWorkflow(record(data), bench(model, more))

export interface Ran {
  readonly events: ReadonlyArray<RunEvent>
  /** Events and streamed texts in the order in which a client would see them. */
  readonly lines: ReadonlyArray<string>
  /** What a run that waits has left; undefined: it does not wait. */
  readonly state: unknown
  readonly error: RunFailed | null
}

export interface Ask {
  readonly history?: ReadonlyArray<ModelMessage>
}

const question = ({ history = [] }: Ask) => ({ text: "", inputs: {}, userId: 7, history })

export const run = (app: App, ask: Ask = {}): Effect.Effect<Ran> => collect(app.answer(question(ask)))

/** The state goes through JSON, as it does in the database. */
export const resume = (app: App, state: unknown, body: unknown, ask: Ask = {}): Effect.Effect<Ran> => {
  const reply: Reply = { action: "input", body }
  return app.resume === undefined
    ? Effect.dieMessage("this app never waits")
    : collect(app.resume.run(JSON.parse(JSON.stringify(state)), reply, question(ask)))
}

export const said = (node: string, data: Readonly<Record<string, unknown>>, message?: string) => ({
  [node]: { data, ...(message === undefined ? {} : { message }) }
})

const collect = (stream: ReturnType<App["answer"]>): Effect.Effect<Ran> =>
  Effect.gen(function* () {
    const { lines, sink } = makeTranscript()
    const events: Array<RunEvent> = []
    const exit = yield* stream.pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          events.push(event)
          lines.push(inWords(event))
        })
      ),
      Effect.provideService(Deltas, sink),
      Effect.either
    )
    const last = events.at(-1)
    return {
      events,
      lines,
      state: last?._tag === "Waiting" ? last.state : undefined,
      error: exit._tag === "Left" ? exit.left : null
    }
  })

const inWords = (event: RunEvent): string => {
  switch (event._tag) {
    case "NodeStarted":
      return `> ${event.nodeId}`
    case "NodeEnded":
      return `< ${event.nodeId}${event.reason === null ? "" : `: ${event.reason}`}`
    case "NodeSaid":
      return `${event.category} ${String(event.message["node_id"])} ${String(event.message["msg"] ?? "")}`.trimEnd()
    case "NodeStreamed":
      return `streamed ${event.run.nodeId}.${event.outputKey} ${event.text}`
    case "Guide":
      return `guide ${event.word} ${event.questions.join("|")}`.trimEnd()
    default:
      return event._tag
  }
}
