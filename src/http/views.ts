/** Rows as clients see them. Times are ISO 8601 in UTC; the field names are Bisheng's where it has them. */
import * as Schema from "effect/Schema"
import { mayAlter, type Person } from "../account/Access.ts"
import { featuresOf } from "../app/features.ts"
import type { ChatMessage, Flow, MessageSession } from "../storage/rows.ts"
import { shownData } from "./appData.ts"
import { FlowStatus, FlowType } from "./fields.ts"
import { outlineOf } from "./outline.ts"

const times = { create_time: Schema.Date, update_time: Schema.Date }

export const Session = Schema.Struct({
  chat_id: Schema.String,
  flow_id: Schema.String,
  flow_type: FlowType,
  flow_name: Schema.String,
  name: Schema.String,
  user_id: Schema.Int,
  like: Schema.Int,
  dislike: Schema.Int,
  copied: Schema.Int,
  sensitive_status: Schema.Int,
  ...times
}).annotations({ identifier: "Session" })

export const Message = Schema.Struct({
  id: Schema.Int,
  is_bot: Schema.Boolean,
  source: Schema.Int,
  type: Schema.String,
  category: Schema.String,
  flow_id: Schema.String,
  chat_id: Schema.String,
  user_id: Schema.Int,
  run_id: Schema.NullOr(Schema.String),
  liked: Schema.Int,
  solved: Schema.Int,
  copied: Schema.Int,
  sensitive_status: Schema.Int,
  message: Schema.String,
  intermediate_steps: Schema.String,
  files: Schema.String.annotations({ description: 'JSON text of an array, or ""' }),
  extra: Schema.String.annotations({ description: "JSON text of an object" }),
  remark: Schema.String.annotations({ description: '"break_answer": cut short' }),
  sender: Schema.String,
  receiver: Schema.Unknown.annotations({ description: "an object, or null" }),
  ...times
}).annotations({ identifier: "Message" })

export const ListedSession = Schema.Struct({
  ...Session.fields,
  latest_message: Schema.NullOr(Message)
}).annotations({ identifier: "ListedSession" })

export const Run = Schema.Struct({
  run_id: Schema.String,
  chat_id: Schema.String,
  flow_id: Schema.String,
  status: Schema.Literal("queued", "running", "waiting_input", "done", "stopped", "failed", "lost"),
  action: Schema.String.annotations({ description: '"default": a question' }),
  client_msg_id: Schema.NullOr(Schema.String),
  question: Schema.String.annotations({ description: '"" where it began without one' }),
  position: Schema.NullOr(Schema.Int).annotations({ description: "1, 2 … of a queued one: its turn" }),
  owner: Schema.String.annotations({ description: "the node that runs it; of a queued one: that took it" }),
  create_time: Schema.Date,
  start_time: Schema.NullOr(Schema.Date),
  end_time: Schema.NullOr(Schema.Date),
  prompt_tokens: Schema.Int,
  completion_tokens: Schema.Int,
  error: Schema.String.annotations({ description: "why it failed" })
}).annotations({ identifier: "Run" })

const appFields = {
  id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  flow_type: FlowType,
  status: FlowStatus,
  user_id: Schema.Int,
  version_id: Schema.Int,
  guide_word: Schema.String.annotations({ description: "what the app says first" }),
  guide_question: Schema.Array(Schema.String).annotations({ description: "questions to begin with" }),
  write: Schema.Boolean.annotations({ description: "whether you may alter it" }),
  features: Schema.Struct({
    batch: Schema.Boolean.annotations({ description: "takes files, variables or questions beforehand" }),
    report: Schema.Boolean.annotations({ description: "writes a document" }),
    group: Schema.Boolean.annotations({ description: "several speak with each other" })
  }).annotations({ description: "what a skill's graph makes of it" }),
  ...times
}

export const AppSummary = Schema.Struct(appFields).annotations({ identifier: "AppSummary" })

export const App = Schema.Struct({
  ...appFields,
  data: Schema.Unknown.annotations({
    description: "the graph, or the settings of an assistant or a remote app"
  })
}).annotations({ identifier: "App" })

export const Assistant = Schema.Struct({
  ...appFields,
  prompt: Schema.NullOr(Schema.String),
  model: Schema.Unknown,
  temperature: Schema.NullOr(Schema.Number),
  tools: Schema.Unknown,
  knowledge: Schema.Unknown
}).annotations({ identifier: "Assistant" })

/** A page of apps. */
export const page = Schema.Struct({ data: Schema.Array(AppSummary), total: Schema.Int })

/** The row itself serves: what the view does not name is left out when it is encoded. */
export const sessionView = (session: MessageSession): typeof Session.Type => session

export const messageView = (message: ChatMessage): typeof Message.Type => ({
  ...message,
  receiver: parsedOrNull(message.receiver)
})

const parsedOrNull = (text: string): unknown => {
  try {
    return text === "" ? null : JSON.parse(text)
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const textsOf = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : []

/** `runs` is what it runs, where that is not its own data: of a session template, its app's. */
/** A workflow greets by its start node's parameters. */
const startOf = (data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const list = (value: unknown) => (Array.isArray(value) ? value.filter(isObject) : [])
  const nodes = list(data["nodes"]).map((node) => (isObject(node["data"]) ? node["data"] : {}))
  const params = list(nodes.find((node) => node["type"] === "start")?.["group_params"]).flatMap((group) =>
    list(group["params"])
  )
  return Object.fromEntries(params.map((param) => [textOf(param["key"]), param["value"]]))
}

export const appSummary = (flow: Flow, person: Person, runs: unknown = flow.data): typeof AppSummary.Type => {
  const data = isObject(flow.data) ? flow.data : {}
  const guide = flow.flow_type === 10 ? startOf(data) : data
  return {
    ...flow,
    guide_word: textOf(guide["guide_word"]),
    guide_question: textsOf(guide["guide_question"]).filter((text) => text.trim() !== ""),
    write: mayAlter(person, flow),
    features: featuresOf(flow.flow_type, runs)
  }
}

/** Prompts and keys stand in the nodes: only who may alter an app sees what they hold. */
export const appView = (flow: Flow, person: Person, runs?: unknown): typeof App.Type => ({
  ...appSummary(flow, person, runs),
  data: mayAlter(person, flow) ? shownData(flow.flow_type, flow.data) : outlineOf(flow.data)
})

export const assistantView = (flow: Flow, person: Person): typeof Assistant.Type => {
  const data = isObject(flow.data) && mayAlter(person, flow) ? flow.data : {}
  return {
    ...appSummary(flow, person),
    prompt: typeof data["prompt"] === "string" ? data["prompt"] : null,
    model: data["model"] ?? null,
    temperature: typeof data["temperature"] === "number" ? data["temperature"] : null,
    tools: data["tools"] ?? null,
    knowledge: data["knowledge"] ?? null
  }
}
