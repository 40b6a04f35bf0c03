/** The events of the AG-UI protocol that mean something here; the others (state, activities, raw) are passed over. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

const Text = Schema.optional(Schema.NullOr(Schema.String))

const Message = Schema.Struct({ role: Schema.String, content: Schema.optional(Schema.Unknown) })

const schemas = {
  TEXT_MESSAGE_START: Schema.Struct({
    type: Schema.Literal("TEXT_MESSAGE_START"),
    messageId: Schema.String,
    role: Text
  }),
  TEXT_MESSAGE_CONTENT: Schema.Struct({
    type: Schema.Literal("TEXT_MESSAGE_CONTENT"),
    messageId: Schema.String,
    delta: Schema.String
  }),
  TEXT_MESSAGE_CHUNK: Schema.Struct({
    type: Schema.Literal("TEXT_MESSAGE_CHUNK"),
    messageId: Text,
    role: Text,
    delta: Text
  }),
  REASONING_MESSAGE_CONTENT: Schema.Struct({
    type: Schema.Literal("REASONING_MESSAGE_CONTENT"),
    delta: Schema.String
  }),
  REASONING_MESSAGE_CHUNK: Schema.Struct({ type: Schema.Literal("REASONING_MESSAGE_CHUNK"), delta: Text }),
  THINKING_TEXT_MESSAGE_CONTENT: Schema.Struct({
    type: Schema.Literal("THINKING_TEXT_MESSAGE_CONTENT"),
    delta: Schema.String
  }),
  TOOL_CALL_START: Schema.Struct({
    type: Schema.Literal("TOOL_CALL_START"),
    toolCallId: Schema.String,
    toolCallName: Schema.String
  }),
  TOOL_CALL_ARGS: Schema.Struct({
    type: Schema.Literal("TOOL_CALL_ARGS"),
    toolCallId: Schema.String,
    delta: Schema.String
  }),
  TOOL_CALL_END: Schema.Struct({ type: Schema.Literal("TOOL_CALL_END"), toolCallId: Schema.String }),
  TOOL_CALL_CHUNK: Schema.Struct({
    type: Schema.Literal("TOOL_CALL_CHUNK"),
    toolCallId: Text,
    toolCallName: Text,
    delta: Text
  }),
  TOOL_CALL_RESULT: Schema.Struct({
    type: Schema.Literal("TOOL_CALL_RESULT"),
    toolCallId: Schema.String,
    content: Schema.String
  }),
  STEP_STARTED: Schema.Struct({ type: Schema.Literal("STEP_STARTED"), stepName: Schema.String }),
  MESSAGES_SNAPSHOT: Schema.Struct({
    type: Schema.Literal("MESSAGES_SNAPSHOT"),
    messages: Schema.Array(Message)
  }),
  RUN_FINISHED: Schema.Struct({
    type: Schema.Literal("RUN_FINISHED"),
    result: Schema.optional(Schema.Unknown),
    outcome: Schema.optional(Schema.Unknown)
  }),
  RUN_ERROR: Schema.Struct({ type: Schema.Literal("RUN_ERROR"), message: Schema.String })
}

type Schemas = typeof schemas

export type AgUiEvent = { readonly [Type in keyof Schemas]: Schemas[Type]["Type"] }[keyof Schemas]

const known: ReadonlySet<string> = new Set(Object.keys(schemas))

const decode = Schema.decodeUnknownEither(Schema.Union(...Object.values(schemas)))

/** Left: what is wrong with it. null: it says nothing to us. */
export const readEvent = (data: string): Either.Either<AgUiEvent | null, string> => {
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch {
    return Either.left("something that is not JSON")
  }
  if (!Predicate.hasProperty(event, "type") || typeof event.type !== "string") {
    return Either.left("an event without a type")
  }
  const { type } = event
  if (!known.has(type)) return Either.right(null)
  return Either.mapLeft(decode(event), () => `an event ${type} that is not as the protocol says`)
}
