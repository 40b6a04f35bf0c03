/**
 * The built-in offline model: answers without any server. It is no language model and says so. It looks a
 * question up in the text that its prompt carries, else in the documents, quotes the passages that fit with
 * their sources, and says plainly when there are none. It calls the calculator, clock and document search tools where an app offers them.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  type Completion,
  LanguageModel,
  type ModelMessage,
  type ModelRequest,
  type TokenSink
} from "./LanguageModel.ts"
import { Library, type LibraryService } from "./Library.ts"
import { fixedForm, fromMaterial } from "./Offline/fromPrompt.ts"
import { intentOf } from "./Offline/intent.ts"
import { paced } from "./Offline/pace.ts"
import { readPrompt } from "./Offline/prompt.ts"
import {
  calculated,
  courtesy,
  introduction,
  noRolePlay,
  noTool,
  quotedAnswer,
  type Reply,
  reported,
  toldTime
} from "./Offline/wording.ts"

/** The tools the offline model knows how to call. */
const calculator = "calculator"
const clock = "current_time"
const search = "search_documents"

const passagesWanted = 5
/** The search tool takes no more. */
const maxQueryChars = 1_000

export const layer: Layer.Layer<LanguageModel, never, Library> = Layer.effect(
  LanguageModel,
  Effect.map(Library, (library) =>
    LanguageModel.of({
      label: "built-in offline model",
      generate: (request, sink) => Effect.flatMap(nextTurn(library, request), (turn) => give(turn, sink))
    })
  )
)

type Turn =
  | { readonly _tag: "Reply"; readonly reply: Reply }
  | { readonly _tag: "Call"; readonly tool: string; readonly input: Readonly<Record<string, unknown>> }

const nextTurn = (library: LibraryService, request: ModelRequest): Effect.Effect<Turn> => {
  const message = request.messages.findLast((one) => one.role === "user")?.content ?? ""
  const offers = (tool: string) => request.tools.some((spec) => spec.name === tool)
  // Where documents can be searched, what an instruction holds is no substitute for them.
  const prompt = readPrompt(request.messages, !offers(search))
  const question = prompt.question
  const results = toolResults(request.messages)
  if (results.length > 0) return Effect.succeed(reply(afterTools(question, results)))
  const intent = intentOf(question)
  const isForQuoting = intent._tag === "Lookup" || intent._tag === "RolePlay"
  const carried = fixedForm(prompt, message) ?? (isForQuoting ? fromMaterial(prompt) : null)
  if (carried !== null) return Effect.succeed(reply(carried))
  switch (intent._tag) {
    case "Greeting":
    case "Identity":
      return Effect.succeed(
        reply(
          introduction(
            question,
            request.messages.some((one) => one.role === "system" && one.content.trim() !== "")
          )
        )
      )
    case "Thanks":
      return Effect.succeed(reply(courtesy(question)))
    case "RolePlay":
      return Effect.succeed(reply(noRolePlay(question)))
    case "Arithmetic":
      return Effect.succeed(
        offers(calculator)
          ? { _tag: "Call", tool: calculator, input: { expression: intent.expression } }
          : reply(noTool(question, "calculator"))
      )
    case "Time":
      return Effect.succeed(
        offers(clock)
          ? {
              _tag: "Call",
              tool: clock,
              input: intent.timeZone === null ? {} : { timezone: intent.timeZone }
            }
          : reply(noTool(question, "clock"))
      )
    case "Lookup":
      if (question.trim() === "") return Effect.succeed(reply(quotedAnswer(question, [])))
      if (offers(search)) {
        const query = question.slice(0, maxQueryChars)
        return Effect.succeed({ _tag: "Call", tool: search, input: { query } })
      }
      return library.search({ text: question, limit: passagesWanted, ...request.scope }).pipe(
        Effect.map((passages) =>
          reply(
            quotedAnswer(
              question,
              passages.map(({ fileName, page, text }) => ({ file: fileName, page, text }))
            )
          )
        )
      )
  }
}

const reply = (value: Reply): Turn => ({ _tag: "Reply", reply: value })

const give = (turn: Turn, sink: TokenSink): Effect.Effect<Completion> => {
  const nothing = {
    text: "",
    reasoning: "",
    toolCalls: [],
    usage: { promptTokens: 0, completionTokens: 0 },
    finishReason: "stop"
  }
  if (turn._tag === "Call") {
    return Effect.sync(() => ({
      ...nothing,
      toolCalls: [{ id: `call_${randomUUID()}`, name: turn.tool, arguments: JSON.stringify(turn.input) }],
      finishReason: "tool_calls"
    }))
  }
  const { reasoning, text } = turn.reply
  return paced(reasoning, sink.reasoning).pipe(
    Effect.zipRight(paced(text, sink.text)),
    Effect.as({ ...nothing, reasoning, text })
  )
}

interface Result {
  readonly tool: string
  readonly input: string
  readonly output: string
}

/** What the tools answered that the last message asked for; nothing when the last word is the user's. */
const toolResults = (messages: ReadonlyArray<ModelMessage>): ReadonlyArray<Result> => {
  const lastOther = messages.findLastIndex((message) => message.role !== "tool")
  const asked = messages[lastOther]
  const calls = asked?.role === "assistant" ? asked.toolCalls : []
  return messages.slice(lastOther + 1).flatMap((message) => {
    if (message.role !== "tool") return []
    const call = calls.find(({ id }) => id === message.toolCallId)
    return [{ tool: call?.name ?? "", input: call?.arguments ?? "", output: message.content }]
  })
}

const SearchOutput = Schema.parseJson(
  Schema.Struct({
    passages: Schema.Array(
      Schema.Struct({ file: Schema.String, page: Schema.NullOr(Schema.Number), text: Schema.String })
    )
  })
)
const CalculatorInput = Schema.parseJson(Schema.Struct({ expression: Schema.String }))

const afterTools = (question: string, results: ReadonlyArray<Result>): Reply => {
  const replies = results.map(({ tool, input, output }) => {
    switch (tool) {
      case calculator: {
        const asked = Schema.decodeOption(CalculatorInput)(input)
        return calculated(
          question,
          Option.match(asked, { onNone: () => input, onSome: (it) => it.expression }),
          output
        )
      }
      case clock:
        return toldTime(question, output)
      case search:
        return Option.match(Schema.decodeOption(SearchOutput)(output), {
          onNone: () => reported(question, tool, output),
          onSome: ({ passages }) => quotedAnswer(question, passages)
        })
      default:
        return reported(question, tool, output)
    }
  })
  const all = (part: (one: Reply) => string) =>
    replies
      .map(part)
      .filter((text) => text !== "")
      .join("\n\n")
  return { reasoning: all((one) => one.reasoning), text: all((one) => one.text) }
}
