/** Asks a model that may use tools, once or once for each item of a batch. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { ModelMessage } from "../../../model/LanguageModel.ts"
import type { RunFailed } from "../../../protocol/errors.ts"
import { Deltas, noUsage, type RunSink } from "../../../protocol/RunEvent.ts"
import { converse } from "../../assistant/converse.ts"
import type { Tool } from "../../Tool.ts"
import { ToolFailed } from "../../Tool.ts"
import { defineTool } from "../../tools/defineTool.ts"
import { searchDocumentsName } from "../../tools/searchDocuments.ts"
import { batchFields, concurrentItems, itemsOf, Temperature } from "../batch.ts"
import { JsonValue, textOf } from "../json.ts"
import { defineNode, failed, type LogEntry, type NodeBench, Optional, result, sum } from "../NodeType.ts"
import { chosen, givenFiles, Knowledge, searchFiles } from "../retrieve.ts"
import { type Spoken, speak } from "../speak.ts"
import { findTool, noTool } from "../tools.ts"
import type { Reading, Said } from "../variables.ts"
import { entry, messagesOf } from "./llm.ts"

const Fields = Schema.Struct({
  ...batchFields,
  system_prompt: Optional(Schema.String),
  user_prompt: Optional(Schema.String),
  temperature: Optional(Temperature),
  /** How many messages of the conversation the model reads; older graphs have a switch only. */
  chat_history_flag: Optional(
    Schema.Union(
      Schema.Struct({ flag: Optional(Schema.Boolean), value: Optional(JsonValue) }),
      Schema.Boolean
    )
  ),
  knowledge_id: Optional(Knowledge),
  sql_agent: Optional(Schema.Struct({ open: Optional(Schema.Boolean) })),
  tool_list: Optional(
    Schema.Array(
      Schema.Struct({
        key: Optional(JsonValue),
        tool_key: Optional(Schema.String),
        label: Optional(Schema.String)
      })
    )
  ),
  /** Whether the person sees the answer. */
  output_user: Optional(Schema.Boolean)
})

const noDatabase = "its agent asks a database in SQL, which this server cannot reach; switch that off"

export const agent = defineNode({
  types: ["agent"],
  fields: Fields,
  make: (fields, node, bench) => {
    const tools = new Map<string, Tool>()
    const lacks: Array<string> = fields.sql_agent?.open === true ? [noDatabase] : []
    for (const { key, tool_key, label } of fields.tool_list ?? []) {
      const name = tool_key ?? textOf(key ?? "")
      const tool = findTool(name, bench.tools)
      if (tool === undefined) lacks.push(noTool(name, label ?? ""))
      else tools.set(tool.spec.name, tool)
    }
    const knowledge = fields.knowledge_id ?? null
    const library = findTool(searchDocumentsName, bench.tools)
    if (namesBases(knowledge) && library !== undefined) tools.set(searchDocumentsName, library)
    return {
      lacks,
      run: (context) => {
        const { reading } = context
        const shows = fields.output_user === true
        const offered = new Map([...tools, ...filesTool(knowledge, reading, bench)])
        const history = lastOf(context.history, historyCount(fields.chat_history_flag ?? false))
        return Effect.forEach(
          itemsOf(node, fields, reading),
          ({ outputKey, own, value }) => {
            const system = reading.fill(fields.system_prompt ?? "", own)
            const user = reading.fill(fields.user_prompt ?? "", own)
            const log: Array<LogEntry> = [entry("system_prompt", system), entry("user_prompt", user)]
            if (value !== null) log.unshift({ ...entry("batch_variable", value), type: "variable" })
            const conversation = {
              model: bench.model,
              modelName: null,
              temperature: fields.temperature ?? null,
              tools: offered,
              scope: { flowId: context.flowId, userId: context.userId },
              messages: messagesOf(system, history, user)
            }
            return Effect.map(speak(context, outputKey, shows, talk(conversation, log)), (spoken) => {
              log.push({ ...entry(`${node.id}.${outputKey}`, spoken.text), type: "variable" })
              return { outputKey, spoken, log }
            })
          },
          { concurrency: concurrentItems }
        ).pipe(
          Effect.map((all) =>
            result({
              outputs: Object.fromEntries(all.map(({ outputKey, spoken }) => [outputKey, spoken.text])),
              said: shows ? all.map(({ spoken }) => ({ by: "ai", text: spoken.text })) : [],
              log: all.map(({ log }) => log),
              usage: sum(all.map(({ spoken }) => spoken.usage))
            })
          )
        )
      }
    }
  }
})

/** The conversation's answer. Its tools are told in the node's log, not to the person. */
const talk = (
  conversation: Parameters<typeof converse>[0],
  log: Array<LogEntry>
): Effect.Effect<Spoken, RunFailed, Deltas> =>
  Effect.gen(function* () {
    const { sink, reasoning } = listening(yield* Deltas)
    const calls = new Map<string, string>()
    let spoken: Spoken = { text: "", reasoning: "", usage: noUsage, passages: [] }
    yield* converse(conversation).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "ToolStarted") calls.set(event.id, `${event.name} ${event.input}`)
          else if (event._tag === "ToolEnded") {
            log.push({ key: calls.get(event.id) ?? "tool", value: event.output, type: "tool" })
          } else if (event._tag === "Answered") spoken = { ...event, reasoning: reasoning() }
        })
      ),
      Effect.provideService(Deltas, sink),
      Effect.mapError(({ reason }) => failed(reason))
    )
    const { text, usage, passages } = spoken
    return { text, usage, passages, reasoning: spoken.reasoning }
  })

/** The same sink, which keeps the reasoning that goes through it. */
const listening = (sink: RunSink): { readonly sink: RunSink; readonly reasoning: () => string } => {
  let heard = ""
  const reasoning = (delta: string): void => {
    heard += delta
    sink.reasoning(delta)
  }
  return { sink: { ...sink, reasoning }, reasoning: () => heard }
}

const namesBases = (knowledge: typeof Knowledge.Type | null): boolean => {
  const { type, value } = chosen(knowledge)
  return type !== "tmp" && value.length > 0
}

/** A tool for the files that a person has given in this run, if any. */
const filesTool = (
  knowledge: typeof Knowledge.Type | null,
  reading: Reading,
  bench: NodeBench
): ReadonlyArray<readonly [string, Tool]> => {
  const files = givenFiles(knowledge, reading) ?? []
  if (files.length === 0) return []
  const tool = defineTool({
    name: "search_given_files",
    description: "Searches the files that the person has sent, and answers the best matching passages.",
    category: "knowledge",
    arguments: Schema.Struct({ query: Schema.NonEmptyString.pipe(Schema.maxLength(1_000)) }),
    run: ({ query }) =>
      searchFiles(query, files, bench).pipe(
        Effect.map((passages) => ({
          output: JSON.stringify({
            passages: passages.map(({ fileName, page, text }) => ({ file: fileName, page, text }))
          }),
          passages
        })),
        Effect.mapError(({ reason }) => new ToolFailed({ reason }))
      )
  })
  return [[tool.spec.name, tool]]
}

const historyCount = (
  setting: boolean | { readonly flag?: boolean | null | undefined; readonly value?: unknown }
): number => {
  if (typeof setting === "boolean") return setting ? 10 : 0
  const count = Number(setting.value ?? 0)
  return setting.flag === false || !Number.isInteger(count) || count < 0 ? 0 : count
}

/** The last messages before what the person has said last: that is in the prompt already. */
const lastOf = (history: ReadonlyArray<Said>, count: number): ReadonlyArray<ModelMessage> => {
  const answered = history.findLastIndex(({ by }) => by === "ai") + 1
  return (count === 0 ? [] : history.slice(0, answered).slice(-count)).map(({ by, text }) =>
    by === "human" ? { role: "user", content: text } : { role: "assistant", content: text, toolCalls: [] }
  )
}
