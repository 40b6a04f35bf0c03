/**
 * Answers from passages in a conversation: a question that leans on what was said before ("and the second one?")
 * is first put so that it stands alone, then searched for and answered.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { RunFailed } from "../../../protocol/errors.ts"
import { unwrapped } from "../../../protocol/eventStream.ts"
import { noUsage, type RunEvent, type Usage } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import { makeChain, sum } from "../chain.ts"
import { booleanOr, LooseBoolean, LooseNumber, LooseText } from "../fields.ts"
import { lastRounds, transcript } from "../history.ts"
import { defineNode, needed, Optional, type Workbench, wired } from "../NodeType.ts"
import type { MemoryPart, ModelPart, PromptPart } from "../Part.ts"
import { askModelQuietly, filled } from "../promptChain.ts"
import { retrieve } from "../retrieve.ts"
import { withoutSources } from "../withoutSources.ts"
import { combined } from "./combineDocsChain.ts"
import { plainMemory } from "./conversationBufferMemory.ts"

export const conversationalRetrievalChain = defineNode({
  types: ["ConversationalRetrievalChain"],
  fields: Schema.Struct({
    input_key: Optional(Schema.String),
    output_key: Optional(Schema.String),
    chain_type: Optional(LooseText),
    token_max: Optional(LooseNumber),
    return_source_documents: Optional(LooseBoolean)
  }),
  build: (fields, node, bench) =>
    Effect.gen(function* () {
      const retriever = yield* needed(node, "retriever", "Retriever")
      const model = yield* needed(node, "llm", "Model")
      const memory = (yield* wired(node, "memory", "Memory")) ?? { ...plainMemory, key: "chat_history" }
      const condensePrompt = yield* wired(node, "condense_question_prompt", "Prompt")
      const prompt =
        (yield* wired(node, "combine_docs_chain_kwargs", "Prompt")) ??
        (yield* wired(node, "prompt", "Prompt"))
      const combine =
        (yield* wired(node, "combine_docs_chain", "Combine")) ??
        (yield* combined(fields, node, bench, prompt, false))
      const show = withoutSources(!booleanOr(fields.return_source_documents, true))
      return yield* makeChain(node, {
        inputKey: fields.input_key || "question",
        outputKey: fields.output_key || "answer",
        keys: { memory: [memory.key], handles: [] },
        answer: (question) =>
          standalone(question, memory, condensePrompt, model, bench).pipe(
            Effect.map(({ asked, usage }) => {
              const run = retrieve(retriever, asked, (passages) => combine.answer(asked, passages)).pipe(
                Stream.map(
                  (event): RunEvent =>
                    event._tag === "Answered" ? { ...event, usage: sum(usage, event.usage) } : event
                )
              )
              return asked.text === question.text
                ? run
                : Stream.concat(Stream.succeed<RunEvent>({ _tag: "Step", text: asked.text }), run)
            }),
            unwrapped,
            show
          )
      })
    })
})

const standalone = (
  question: Question,
  memory: MemoryPart,
  prompt: PromptPart | null,
  model: ModelPart,
  bench: Workbench
): Effect.Effect<{ readonly asked: Question; readonly usage: Usage }, RunFailed> =>
  Effect.gen(function* () {
    const said = transcript(lastRounds(question.history, memory.rounds), memory)
    if (said === "") return { asked: question, usage: noUsage }
    const text =
      prompt === null
        ? usualCondensing(said, question.text)
        : yield* filled(prompt, question, (name) => {
            if (name === memory.key || name === "chat_history") return said
            return name === "question" ? question.text : undefined
          })
    const completion = yield* askModelQuietly(question, text, model, bench)
    return { asked: { ...question, text: completion.text.trim() || question.text }, usage: completion.usage }
  })

const usualCondensing = (said: string, question: string): string =>
  "Below are a conversation and a further question. Rewrite the question so that it can be understood without " +
  "the conversation, in its own language. Give the rewritten question alone.\n\n" +
  `Conversation:\n${said}\n\nFurther question: ${question}\nRewritten question:`
