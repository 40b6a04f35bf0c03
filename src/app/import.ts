/**
 * Apps out of files that other installations wrote: Bisheng's templates and exports of skills, assistants and
 * workflows, one or many in a file. What is not an app is told in words; it does not keep the others out.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { FlowType } from "../storage/rows.ts"
import { firstIssue } from "./firstIssue.ts"

/** What an app is made of, whoever owns it then. */
export interface Imported {
  readonly name: string
  readonly description: string
  readonly flowType: FlowType
  readonly data: unknown
}

/** Apps in one file. */
export const maxApps = 500

const Nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

const Collection = Schema.Union(
  Schema.Struct({ flows: Schema.Array(Schema.Unknown) }),
  Schema.Struct({ data: Schema.Array(Schema.Unknown) }),
  Schema.Struct({ data: Schema.Struct({ data: Schema.Array(Schema.Unknown) }) })
)

const decodeCollection = Schema.decodeUnknownOption(Collection)

/** The apps that a file holds: an array, a list as the API answers one, or one app alone. */
export const itemsOf = (file: unknown): Either.Either<ReadonlyArray<unknown>, string> => {
  const items = Array.isArray(file) ? file : listed(file)
  if (items.length === 0) return Either.left("there is no app in it")
  return items.length > maxApps
    ? Either.left(`it holds ${items.length} apps; import at most ${maxApps} at once`)
    : Either.right(items)
}

const listed = (file: unknown): ReadonlyArray<unknown> =>
  Option.match(decodeCollection(file), {
    onNone: () => [file],
    onSome: (collection) => {
      if ("flows" in collection) return collection.flows
      return "data" in collection.data ? collection.data.data : collection.data
    }
  })

const Name = Schema.Trim.pipe(
  Schema.filter((name) => (name.length >= 1 && name.length <= 255) || "must be 1 to 255 characters")
)

const Item = Schema.Struct({
  name: Name,
  description: Nullish(Schema.String),
  /** What assistants call it. */
  desc: Nullish(Schema.String),
  flow_type: Nullish(
    Schema.Union(Schema.Literal(1, 5, 10), Schema.transformLiterals(["1", 1], ["5", 5], ["10", 10]))
  ),
  data: Schema.optional(Schema.Unknown),
  guide_word: Nullish(Schema.String)
})

const decodeItem = Schema.decodeUnknownEither(Item)

/** The longest that the list of apps shows. */
const maxDescription = 4_000

/** Left: what is wrong with it, in words. */
export const importedFrom = (item: unknown): Either.Either<Imported, string> =>
  Either.flatMap(Either.mapLeft(decodeItem(item), firstIssue), (read) => {
    const flowType = read.flow_type ?? kindIn(item)
    if (flowType === null) {
      return Either.left("it has neither nodes nor a prompt: it is not a skill, an assistant or a workflow")
    }
    const description = (read.description ?? read.desc ?? "").slice(0, maxDescription)
    const made = { name: read.name, description, flowType }
    if (flowType === 5) {
      return Either.map(assistantFrom(isFields(read.data) ? read.data : item), (data) => ({ ...made, data }))
    }
    if (!isGraph(read.data)) {
      return Either.left('data: must be {"nodes": […], "edges": […]}')
    }
    const hasWord = typeof read.data["guide_word"] === "string" || !read.guide_word
    return Either.right({
      ...made,
      data: hasWord ? read.data : { ...read.data, guide_word: read.guide_word }
    })
  })

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isGraph = (value: unknown): value is Fields =>
  isFields(value) && Array.isArray(value["nodes"]) && Array.isArray(value["edges"])

/** Older exports do not say what they are. */
const kindIn = (item: unknown): FlowType | null => {
  if (!isFields(item)) return null
  const data = item["data"]
  if (!isGraph(data)) {
    return typeof item["prompt"] === "string" || (isFields(data) && typeof data["prompt"] === "string")
      ? 5
      : null
  }
  const nodes = Array.isArray(data["nodes"]) ? data["nodes"] : []
  return nodes.some((node) => isFields(node) && isFields(node["data"]) && node["data"]["type"] === "start")
    ? 10
    : 1
}

/** A tool as Bisheng's assistants list it. */
const ListedTool = Schema.Union(
  Schema.String,
  Schema.Struct({ tool_key: Schema.NonEmptyString }),
  Schema.Struct({ name: Schema.NonEmptyString })
)

const AssistantExport = Schema.Struct({
  prompt: Nullish(Schema.String),
  model: Nullish(Schema.Union(Schema.String, Schema.Number)),
  /** An id of the installation that wrote the file, or a name. */
  model_name: Nullish(Schema.Union(Schema.String, Schema.Number)),
  temperature: Nullish(Schema.Number),
  tools: Nullish(Schema.Array(ListedTool)),
  tool_list: Nullish(Schema.Array(ListedTool)),
  /** Skills and workflows that it calls. */
  flow_list: Nullish(Schema.Array(Schema.Unknown)),
  knowledge: Nullish(Schema.Array(Schema.Unknown)),
  knowledge_list: Nullish(Schema.Array(Schema.Unknown)),
  guide_word: Nullish(Schema.String),
  guide_question: Nullish(Schema.Array(Schema.String)),
  on_disconnect: Nullish(Schema.Literal("continue", "cancel"))
})

const decodeAssistant = Schema.decodeUnknownEither(AssistantExport)

/** Names that Bisheng has for tools that are here too. */
const sameTools: Readonly<Record<string, string>> = { get_current_time: "current_time" }

const assistantFrom = (item: unknown): Either.Either<unknown, string> =>
  Either.map(Either.mapLeft(decodeAssistant(item), firstIssue), (read) => {
    const tools = read.tools ?? read.tool_list
    const model = read.model ?? read.model_name
    return {
      prompt: read.prompt ?? "",
      ...(typeof model === "string" && !/^\d*$/.test(model) ? { model } : {}),
      ...(typeof read.temperature === "number" ? { temperature: read.temperature } : {}),
      ...(tools == null ? {} : { tools: [...tools.map(toolName), ...flowTools(read.flow_list ?? [])] }),
      knowledge: read.knowledge ?? read.knowledge_list ?? [],
      guide_word: read.guide_word ?? "",
      guide_question: (read.guide_question ?? []).filter((text) => text !== ""),
      ...(read.on_disconnect == null ? {} : { on_disconnect: read.on_disconnect })
    }
  })

const toolName = (tool: typeof ListedTool.Type): string => {
  const name = typeof tool === "string" ? tool : "tool_key" in tool ? tool.tool_key : tool.name
  return sameTools[name] ?? name
}

/** They stay in the list, so that what lacks says what would have to be made anew. */
const flowTools = (flows: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  flows.flatMap((flow) =>
    isFields(flow) && typeof flow["name"] === "string" ? [`app: ${flow["name"]}`] : []
  )
