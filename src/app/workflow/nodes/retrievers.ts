/** Nodes that search and leave it to others to say what was found. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Json } from "../../../protocol/frames.ts"
import type { Passage } from "../../../protocol/RunEvent.ts"
import { concurrentItems, Keyed, keyAt } from "../batch.ts"
import { defineNode, type NodeResult, Optional, result } from "../NodeType.ts"
import { asVariable } from "../passages.ts"
import { Questions, questionsOf, retrieve, searchFields } from "../retrieve.ts"
import { entry } from "./llm.ts"

/** The passages for each question, as a list. */
export const knowledgeRetriever = defineNode({
  types: ["knowledge_retriever"],
  fields: Schema.Struct({
    ...searchFields,
    user_question: Optional(Questions),
    /** The outputs' names, one for each question. */
    retrieved_result: Optional(Schema.Union(Keyed, Schema.String))
  }),
  make: (fields, node, bench) => ({
    run: ({ reading, userId }) => {
      const keys = typeof fields.retrieved_result === "string" ? [] : (fields.retrieved_result ?? [])
      return Effect.forEach(
        questionsOf(fields.user_question, reading),
        (question, index) =>
          Effect.map(retrieve(question, fields, reading, userId, bench), (passages) => ({
            key: keyAt(keys, index) ?? (index === 0 ? "retrieved_result" : `output${index + 1}`),
            question,
            passages
          })),
        { concurrency: concurrentItems }
      ).pipe(
        Effect.map(
          (all): NodeResult =>
            result({
              outputs: {
                ...Object.fromEntries(all.map(({ key, passages }) => [key, passages.map(inBrief)])),
                ...asVariable(all.flatMap(({ passages }) => passages))
              },
              log: all.map(({ key, question, passages }) => [
                { ...entry(`${node.id}.user_question`, question), type: "variable" },
                { ...entry(`${node.id}.${key}`, passages.map(inBrief)), type: "variable" }
              ])
            })
        )
      )
    }
  })
})

const inBrief = ({ text, fileId, fileName }: Passage, index: number): Json => ({
  text,
  metadata: { chunk_index: index, file_id: fileId, knowledge_id: null, title: fileName }
})

/** The one passage that fits a question best. */
export const qaRetriever = defineNode({
  types: ["qa_retriever"],
  fields: Schema.Struct({ user_question: Optional(Questions) }),
  make: (fields, _node, bench) => ({
    run: ({ reading, userId }) => {
      const [question = ""] = questionsOf(fields.user_question, reading)
      return Effect.map(retrieve(question, {}, reading, userId, bench), (found): NodeResult => {
        const best = found.slice(0, 1)
        const text = best[0]?.text ?? ""
        return result({
          outputs: { retrieved_result: text, ...asVariable(best) },
          log: [[entry("user_question", question), entry("retrieved_result", text)]]
        })
      })
    }
  })
})
