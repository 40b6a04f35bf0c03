/**
 * Question and answer pairs out of documents, as JSON: `[{"question": "…", "answer": "…"}]`. Per piece of the
 * documents the model is asked for a question first and for its answer then: two plain texts, which any model
 * can write.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Doc } from "../../../knowledge/Documents.ts"
import { splitDocs } from "../../../knowledge/split.ts"
import { unwrapped } from "../../../protocol/eventStream.ts"
import { Deltas, type Passage, type RunEvent, type Usage } from "../../../protocol/RunEvent.ts"
import type { Question } from "../../App.ts"
import { answered, makeChain, skillFailed, sum } from "../chain.ts"
import { concurrentSteps } from "../combine/Combining.ts"
import { fillContext } from "../combine/stuff.ts"
import { LooseNumber, numberOr } from "../fields.ts"
import { fault, named } from "../Graph.ts"
import { defineNode, needed, Optional, type Workbench, wired, wiredAll } from "../NodeType.ts"
import type { ModelPart, PromptPart } from "../Part.ts"
import { parsePrompt } from "../prompt.ts"
import { askModelQuietly } from "../promptChain.ts"

const usualSize = 512
const usualPairs = 10
const maxPairs = 100

/** The editor's own prompt: chat messages, of which the one with `{context}` is the last. */
const ChatPrompt = Schema.Struct({
  messages: Schema.Array(Schema.Struct({ prompt: Schema.Struct({ template: Schema.String }) }))
})
const decodeChat = Schema.decodeUnknownOption(ChatPrompt)

export const qaGenerationChain = defineNode({
  types: ["QAGenerationChain", "QAGenerationChainV2"],
  fields: Schema.Struct({
    prompt: Optional(Schema.Unknown),
    /** How many pairs. */
    k: Optional(LooseNumber),
    chunk_size: Optional(LooseNumber),
    input_key: Optional(Schema.String),
    output_key: Optional(Schema.String)
  }),
  build: (fields, node, bench) =>
    Effect.gen(function* () {
      const model = yield* needed(node, "llm", "Model")
      const sources = yield* wiredAll(node, "documents", "Documents")
      if (sources.length === 0) {
        return yield* fault(`node ${named(node)} needs documents connected to "documents"`, node)
      }
      const prompt = (yield* wired(node, "prompt", "Prompt")) ?? ownPrompt(fields.prompt)
      const count = Math.min(maxPairs, Math.max(1, Math.floor(numberOr(fields.k, usualPairs))))
      const chunkSize = Math.max(100, Math.floor(numberOr(fields.chunk_size, usualSize)))
      return yield* makeChain(node, {
        inputKey: fields.input_key || "input",
        outputKey: fields.output_key || "text",
        takesQuestion: false,
        answer: (question) =>
          Effect.gen(function* () {
            const docs = (yield* Effect.all(sources.map((source) => source.load))).flat()
            const pieces = spread(splitDocs(docs, { chunkSize, chunkOverlap: 0 }), count)
            if (pieces.length === 0) return yield* skillFailed(`the documents of ${named(node)} hold no text`)
            const making = { question, model, prompt, bench }
            return Stream.concat(
              Stream.succeed<RunEvent>({
                _tag: "Step",
                text: `Asking about ${pieces.length} parts of the text`
              }),
              unwrapped(Effect.map(allPairs(pieces, making), told))
            )
          }).pipe(unwrapped)
      })
    })
})

interface Making {
  readonly question: Question
  readonly model: ModelPart
  readonly prompt: PromptPart | null
  readonly bench: Workbench
}

interface Pair {
  readonly question: string
  readonly answer: string
  readonly usage: Usage
  readonly doc: Doc
}

const allPairs = (pieces: ReadonlyArray<Doc>, making: Making) =>
  Effect.forEach(pieces, (doc) => pairOf(doc, making), { concurrency: concurrentSteps })

const pairOf = (doc: Doc, { bench, model, prompt, question }: Making) =>
  Effect.gen(function* () {
    const text =
      prompt === null
        ? questionStep(doc.text)
        : yield* fillContext(prompt, { ...question, text: "" }, doc.text)
    const asked = yield* askModelQuietly(question, text, model, bench)
    const wording = firstLine(asked.text)
    const reply = yield* askModelQuietly(question, answerStep(doc.text, wording), model, bench)
    const usage = sum(asked.usage, reply.usage)
    return { question: wording, answer: reply.text.trim(), usage, doc } satisfies Pair
  })

const told = (pairs: ReadonlyArray<Pair>) =>
  Stream.fromEffect(
    Effect.map(Deltas, (sink): RunEvent => {
      const text = JSON.stringify(
        pairs.map(({ answer, question }) => ({ question, answer })),
        null,
        2
      )
      sink.text(text)
      return answered(text, sum(...pairs.map(({ usage }) => usage)), pairs.map(passageOf))
    })
  )

const passageOf = ({ doc }: Pair): Passage => ({
  text: doc.text,
  fileId: doc.fileId,
  fileName: doc.fileName,
  page: doc.page,
  score: 0,
  boxes: doc.boxes,
  ...(doc.url === null ? {} : { url: doc.url })
})

/** So many pieces, evenly from the whole text. */
const spread = (docs: ReadonlyArray<Doc>, count: number): ReadonlyArray<Doc> =>
  docs.length <= count
    ? docs
    : Array.from({ length: count }, (_, at) => docs[Math.floor((at * docs.length) / count)]).filter(
        (doc) => doc !== undefined
      )

/** A model may number its question, or go on talking after it. */
const firstLine = (text: string): string => {
  const lines = text.split("\n").map((line) => line.trim())
  const line = lines.find((one) => one !== "") ?? text.trim()
  return line.replace(/^(?:question|问题)\s*[:：]\s*/i, "").replace(/^\d+[.)、]\s*/, "")
}

/** null: it has none, or one that makes no sense here. */
const ownPrompt = (value: unknown): PromptPart | null => {
  const chat = decodeChat(value)
  if (chat._tag === "None") return null
  const template = chat.value.messages.map(({ prompt }) => prompt.template).join("\n")
  return Either.match(parsePrompt(template), {
    onLeft: () => null,
    onRight: (prompt) =>
      prompt.variables.length === 1 && prompt.variables[0] === "context"
        ? { _tag: "Prompt", prompt, defaults: new Map(), supplied: new Map() }
        : null
  })
}

const questionStep = (context: string): string =>
  "Write one question that the following text answers in full, that is worth asking, and that can be understood " +
  "without the text. Write it in the text's own language. Give the question alone.\n\n" +
  `----------------\n${context}\n----------------\n\nQuestion:`

const answerStep = (context: string, question: string): string =>
  "Answer the question from the following text alone, in the language of the question. Give the answer alone.\n\n" +
  `----------------\n${context}\n----------------\n\nQuestion: ${question}\nAnswer:`
