/** Asks the model once, or once for each item of a batch. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ModelMessage } from "../../../model/LanguageModel.ts"
import { ask } from "../../ask.ts"
import { batchFields, concurrentItems, itemsOf, Temperature } from "../batch.ts"
import { defineNode, type LogEntry, Optional, result, sum } from "../NodeType.ts"
import { speak } from "../speak.ts"

const Fields = Schema.Struct({
  ...batchFields,
  system_prompt: Optional(Schema.String),
  user_prompt: Optional(Schema.String),
  temperature: Optional(Temperature),
  /** Whether the person sees the answer. */
  output_user: Optional(Schema.Boolean)
})

export const llm = defineNode({
  types: ["llm"],
  fields: Fields,
  make: (fields, node, bench) => ({
    run: (context) => {
      const { reading } = context
      const shows = fields.output_user === true
      return Effect.forEach(
        itemsOf(node, fields, reading),
        ({ outputKey, own, value }) => {
          const system = reading.fill(fields.system_prompt ?? "", own)
          const user = reading.fill(fields.user_prompt ?? "", own)
          const answer = ask(bench.model, "workflow", {
            // The graph's model is a number of another installation: the configured one answers.
            model: null,
            temperature: fields.temperature ?? null,
            messages: messagesOf(system, [], user),
            tools: [],
            scope: { flowId: context.flowId, userId: context.userId }
          }).pipe(Effect.map(({ text, reasoning, usage }) => ({ text, reasoning, usage, passages: [] })))
          return Effect.map(speak(context, outputKey, shows, answer), (spoken) => ({
            outputKey,
            spoken,
            log: [
              ...(value === null ? [] : [entry("batch_variable", value)]),
              entry("system_prompt", system),
              entry("user_prompt", user),
              ...(spoken.reasoning === "" ? [] : [entry("reasoning", spoken.reasoning)]),
              { ...entry(`${node.id}.${outputKey}`, spoken.text), type: "variable" as const }
            ]
          }))
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
  })
})

export const entry = (key: string, value: LogEntry["value"]): LogEntry => ({ key, value, type: "params" })

/** An empty instruction is none. */
export const messagesOf = (
  system: string,
  history: ReadonlyArray<ModelMessage>,
  user: string
): ReadonlyArray<ModelMessage> => [
  ...(system.trim() === "" ? [] : [{ role: "system" as const, content: system }]),
  ...history,
  { role: "user", content: user }
]
