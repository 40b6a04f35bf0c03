/** The fields that requests are made of: what each may be, in words that the client reads when it is not. */
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { isChatId, normalFlowId } from "../protocol/ids.ts"

/** 32 hex digits, with or without dashes. */
export const FlowId = Schema.transformOrFail(
  Schema.String.annotations({ description: "an app's id: 32 hex digits, with or without dashes" }),
  Schema.String,
  {
    strict: true,
    decode: (given, _, ast) => {
      const id = normalFlowId(given)
      return id === null
        ? Effect.fail(new ParseResult.Type(ast, given, "must be 32 hex digits"))
        : Effect.succeed(id)
    },
    encode: (id) => Effect.succeed(id)
  }
)

export const ChatId = Schema.String.pipe(
  Schema.filter(isChatId, {
    message: () => 'must be 1 to 64 letters, digits or "_.:-"',
    jsonSchema: { pattern: "^[A-Za-z0-9_.:-]{1,64}$" }
  })
)

export const RunId = Schema.String.pipe(Schema.filter(isChatId, { message: () => "must be a run's id" }))

/** Long ones are cut by what a body may weigh. */
export const QuestionText = Schema.String.pipe(
  Schema.filter((text) => text.trim() !== "", { message: () => "must be a text that is not empty" })
)

export const AppName = Schema.Trim.pipe(
  Schema.filter((name) => name.length >= 1 && name.length <= 255, {
    message: () => "must be 1 to 255 characters",
    jsonSchema: { minLength: 1, maxLength: 255 }
  })
)

export const Description = Schema.String.pipe(
  Schema.maxLength(4_000, { message: () => "must be at most 4000 characters" })
)

export const FlowType = Schema.Literal(1, 5, 10, 100).annotations({
  description: "1 skill, 5 assistant, 10 workflow, 100 remote"
})

export const FlowStatus = Schema.Literal(1, 2).annotations({ description: "1 offline, 2 online" })

const listedAt = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z),(.+)$/

/** A whole number in a query. */
const wholeNumber = (least: number, most: number) =>
  Schema.NumberFromString.pipe(
    Schema.filter((value) => Number.isSafeInteger(value) && value >= least && value <= most, {
      message: () => `must be a whole number from ${least} to ${most}`,
      jsonSchema: { type: "integer", minimum: least, maximum: most }
    })
  )

/** Clients send parameters that they have no value for as `name=`. */
const orEmpty = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optional(Schema.Union(Schema.Literal(""), schema))

export const queryNumber = (least: number, most: number) => orEmpty(wholeNumber(least, most))

export const queryFlowId = orEmpty(FlowId)

export const queryChatId = orEmpty(ChatId)

/** Where a list of chats went on to: the last one's `update_time` and `chat_id`, with a comma between. */
export const queryListedAt = orEmpty(
  Schema.transformOrFail(
    Schema.String.annotations({
      description: "the last listed chat: its update_time, a comma, its chat_id"
    }),
    Schema.Struct({ updateTime: Schema.ValidDateFromSelf, chatId: Schema.String }),
    {
      strict: true,
      decode: (given, _, ast) => {
        const [, time = "", chatId = ""] = listedAt.exec(given) ?? []
        const updateTime = new Date(time)
        return Number.isNaN(updateTime.getTime()) || !isChatId(chatId)
          ? Effect.fail(new ParseResult.Type(ast, given, "must be an update_time, a comma and a chat_id"))
          : Effect.succeed({ updateTime, chatId })
      },
      encode: ({ updateTime, chatId }) => Effect.succeed(`${updateTime.toISOString()},${chatId}`)
    }
  )
)

export const queryFlowType = orEmpty(
  Schema.transformLiterals(["1", 1], ["5", 5], ["10", 10], ["100", 100]).annotations({
    description: "1 skills, 5 assistants, 10 workflows, 100 remote apps; left out: all"
  })
)

/** Pages of a list, counted from 1. */
export const paging = {
  page: queryNumber(1, 100_000),
  limit: queryNumber(1, 100),
  keyword: Schema.optional(Schema.String.pipe(Schema.maxLength(255)))
}

/** The value, or what stands for it where the client sent none. */
export const given = <A, B>(value: A | "" | undefined, fallback: B): A | B =>
  value === undefined || value === "" ? fallback : value

/** A graph as the editor saves it. What it holds beside its nodes and edges is kept as it is. */
type Graph = { readonly nodes: ReadonlyArray<unknown>; readonly edges: ReadonlyArray<unknown> }

export const isGraph = (value: unknown): value is Graph =>
  typeof value === "object" &&
  value !== null &&
  "nodes" in value &&
  Array.isArray(value.nodes) &&
  "edges" in value &&
  Array.isArray(value.edges)
