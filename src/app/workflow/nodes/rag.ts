/** Answers questions from the passages found for them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Passage } from "../../../protocol/RunEvent.ts"
import { ask } from "../../ask.ts"
import { concurrentItems, Keyed, keyAt, Temperature } from "../batch.ts"
import { defineNode, type NodeResult, Optional, result, sum } from "../NodeType.ts"
import { Questions, questionsOf, retrieve, searchFields } from "../retrieve.ts"
import { speak } from "../speak.ts"
import { entry, messagesOf } from "./llm.ts"

const Fields = Schema.Struct({
  ...searchFields,
  user_question: Optional(Questions),
  system_prompt: Optional(Schema.String),
  user_prompt: Optional(Schema.String),
  temperature: Optional(Temperature),
  /** Whether the person sees the answers. */
  output_user: Optional(Schema.Boolean),
  /** The outputs' names, one for each question. */
  output_user_input: Optional(Schema.Union(Keyed, Schema.String))
})

export const rag = defineNode({
  types: ["rag"],
  fields: Fields,
  make: (fields, node, bench) => ({
    run: (context) => {
      const { reading } = context
      const shows = fields.output_user === true
      const named = typeof fields.output_user_input === "string" ? [] : (fields.output_user_input ?? [])
      const found = `${node.id}.retrieved_result`
      const prompts = `${fields.system_prompt ?? ""}${fields.user_prompt ?? ""}`
      // Older graphs leave the passages out of their prompts.
      const userPrompt = prompts.includes(`{{#${found}#}}`)
        ? (fields.user_prompt ?? "")
        : `${fields.user_prompt ?? ""}\n\n{{#${found}#}}`
      return Effect.forEach(
        questionsOf(fields.user_question, reading),
        (question, index) =>
          Effect.gen(function* () {
            const outputKey =
              keyAt(named, index) ?? (index === 0 ? "output_user_input" : `output${index + 1}`)
            const passages = yield* retrieve(question, fields, reading, context.userId, bench)
            const own = new Map([
              [`${node.id}.user_question`, question],
              [found, together(passages)]
            ])
            const system = reading.fill(fields.system_prompt ?? "", own)
            const user = reading.fill(userPrompt, own)
            const answer = ask(bench.model, "workflow", {
              model: null,
              temperature: fields.temperature ?? null,
              messages: messagesOf(system, [], user),
              tools: [],
              scope: { flowId: context.flowId, userId: context.userId }
            }).pipe(Effect.map(({ text, reasoning, usage }) => ({ text, reasoning, usage, passages })))
            const spoken = yield* speak(context, outputKey, shows, answer)
            return {
              outputKey,
              spoken,
              log: [
                { ...entry(`${node.id}.user_question`, question), type: "variable" as const },
                {
                  ...entry(
                    found,
                    passages.map(({ text }) => text)
                  ),
                  type: "variable" as const
                },
                entry("system_prompt", system),
                entry("user_prompt", user),
                { ...entry(`${node.id}.${outputKey}`, spoken.text), type: "variable" as const }
              ]
            }
          }),
        { concurrency: concurrentItems }
      ).pipe(
        Effect.map(
          (all): NodeResult =>
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

/** Passages as a prompt has them: each under its file's name. */
export const together = (passages: ReadonlyArray<Passage>): string =>
  passages.map(({ fileName, text }) => `[${fileName}]\n${text}`).join("\n\n")
