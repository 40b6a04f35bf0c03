/** What an assistant's record holds. Bisheng's own exports carry more; what is not named here is left alone. */
import * as Schema from "effect/Schema"
import { searchDocumentsName } from "../tools/searchDocuments.ts"

const Nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** A tool by its name, or as Bisheng lists it: an object that carries the name as `tool_key`. */
const ToolChoice = Schema.Union(
  Schema.String,
  Schema.Struct({ tool_key: Schema.String }),
  Schema.Struct({ name: Schema.String })
)

export const AssistantSettings = Schema.Struct({
  /** The instruction the model gets before every conversation. */
  prompt: Nullish(Schema.String.pipe(Schema.maxLength(100_000))),
  /** A model's name at the configured provider. A number is an id of another installation: the default is used. */
  model: Nullish(Schema.Union(Schema.String, Schema.Number)),
  temperature: Nullish(Schema.Number.pipe(Schema.between(0, 2))),
  /** Left out: calculator, current_time and search_documents. An empty list: none. */
  tools: Nullish(Schema.Array(ToolChoice).pipe(Schema.maxItems(64))),
  /** With anything in it, document search is offered even where `tools` does not list it. */
  knowledge: Nullish(Schema.Array(Schema.Unknown)),
  guide_word: Nullish(Schema.String),
  guide_question: Nullish(Schema.Array(Schema.String)),
  /** "cancel": a run ends with its last socket. Left out: it goes on. */
  on_disconnect: Nullish(Schema.Literal("continue", "cancel"))
})

export type AssistantSettings = typeof AssistantSettings.Type

export const defaultTools: ReadonlyArray<string> = ["calculator", "current_time", searchDocumentsName]

/** The names of the tools to offer. */
export const toolNames = (settings: AssistantSettings): ReadonlyArray<string> => {
  const listed = settings.tools?.map(nameOf) ?? defaultTools
  const searches = (settings.knowledge?.length ?? 0) > 0
  return [...new Set(searches ? [...listed, searchDocumentsName] : listed)]
}

const nameOf = (choice: typeof ToolChoice.Type): string => {
  if (typeof choice === "string") return choice
  return "tool_key" in choice ? choice.tool_key : choice.name
}
