/**
 * What clients say on a socket, decoded once at the edge. Classic clients send a bag of fields and leave
 * the meaning to whichever is present; here each message becomes exactly one of the payloads below.
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { InvalidInput, NotJson } from "./errors.ts"
import type { Address } from "./frames.ts"
import { isChatId, normalFlowId } from "./ids.ts"

export type OnBusy = "enqueue" | "reject" | "interrupt" | "rollback"

/** Where a client left off in a session. */
export interface ResumePoint {
  readonly lastSeq: number
  readonly epoch: string
}

/** `address` is null where the payload names no session: it is for the socket's own one. */
export type Payload = { readonly address: Address | null } & (
  | { readonly _tag: "Ping" }
  | { readonly _tag: "Stop"; readonly scope: "run" | "all" }
  | { readonly _tag: "ClearHistory" }
  | { readonly _tag: "Open"; readonly resume: ResumePoint | null }
  | { readonly _tag: "Switch"; readonly to: Address }
  | { readonly _tag: "CheckStatus" }
  | Reply
  | Ask
)

/** A person's reply to a run that waits for it. `body` is for the app to understand. */
export interface Reply {
  readonly _tag: "Reply"
  readonly action: "continue" | "input"
  readonly body: unknown
  readonly clientMsgId: string | null
}

export interface Ask {
  readonly _tag: "Ask"
  /** "default", or the name of another action that this server knows. */
  readonly action: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly clientMsgId: string | null
  readonly onBusy: OnBusy
}

const Nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

/** Every field that any payload may have; others are ignored, as classic clients send many. */
const Fields = Schema.Struct({
  action: Nullish(Schema.String),
  flow_id: Nullish(Schema.String),
  chat_id: Nullish(Schema.String),
  /** An object for questions; a reply to a group chat is a text. */
  inputs: Schema.optional(Schema.Unknown),
  /** A workflow's graph, or a reply by node. */
  data: Schema.optional(Schema.Unknown),
  clear_history: Nullish(Schema.Boolean),
  scope: Nullish(Schema.Literal("run", "all")),
  client_msg_id: Nullish(Schema.NonEmptyTrimmedString.pipe(Schema.maxLength(64))),
  on_busy: Nullish(Schema.Literal("enqueue", "reject", "interrupt", "rollback")),
  last_seq: Nullish(Schema.NonNegativeInt),
  epoch: Nullish(Schema.String.pipe(Schema.maxLength(64)))
})
type Fields = typeof Fields.Type

const SwitchTarget = Schema.Struct({
  id: Schema.String,
  chatId: Nullish(Schema.String)
})

const decodeFields = Schema.decodeUnknownEither(Fields)
const decodeSwitch = Schema.decodeUnknownEither(SwitchTarget)

/** JSON deeper than this is nobody's question. */
const maxDepth = 64

/** Decodes one text message. `isAction` knows the actions beside those of the protocol itself. */
export const decodePayload = (
  text: string,
  isAction: (name: string) => boolean
): Either.Either<Payload, NotJson | InvalidInput> => {
  if (isTooDeep(text)) return invalid(`nested deeper than ${maxDepth} levels`)
  const json = parseObject(text)
  if (json === null) return Either.left(new NotJson())
  const fields = decodeFields(json)
  if (Either.isLeft(fields)) return invalid(firstIssue(fields.left))
  return Either.flatMap(addressOf(fields.right), (address) => classify(fields.right, address, isAction))
}

const classify = (
  fields: Fields,
  address: Address | null,
  isAction: (name: string) => boolean
): Either.Either<Payload, InvalidInput> => {
  const action = fields.action ?? ""
  switch (action) {
    case "ping":
      return Either.right({ _tag: "Ping", address })
    case "stop":
      return Either.right({ _tag: "Stop", scope: fields.scope ?? "run", address })
    case "check_status":
      return Either.right({ _tag: "CheckStatus", address })
    case "continue":
      return replied(fields, address, action, fields.inputs)
    case "input":
      return replied(fields, address, action, fields.data)
    case "init_data":
      return asked(fields, isObject(fields.data) ? { data: fields.data } : {}, address, "workflow")
    case "":
    case "default":
    case "autogen":
      return withoutAction(fields, address)
    default:
      if (isAction(action)) {
        return Either.flatMap(inputsOf(fields), (inputs) => asked(fields, inputs, address, action))
      }
      return invalid(`unknown action "${action.slice(0, 40)}"`)
  }
}

const withoutAction = (fields: Fields, address: Address | null): Either.Either<Payload, InvalidInput> => {
  if (fields.inputs) {
    return Either.flatMap(inputsOf(fields), (inputs) => switchOrAsk(fields, inputs, address))
  }
  if (fields.clear_history === true) return Either.right({ _tag: "ClearHistory", address })
  if (address === null) return invalid("inputs, action, or flow_id and chat_id are missing")
  const resume =
    typeof fields.last_seq === "number" && typeof fields.epoch === "string"
      ? { lastSeq: fields.last_seq, epoch: fields.epoch }
      : null
  return Either.right({ _tag: "Open", resume, address })
}

const switchOrAsk = (
  fields: Fields,
  inputs: Readonly<Record<string, unknown>>,
  address: Address | null
): Either.Either<Payload, InvalidInput> => {
  // Values for the app's input nodes: the client leaves it to the server to see what that is.
  if (Array.isArray(inputs["data"])) return asked(fields, inputs, address, "auto_file")
  if (isObject(inputs["data"])) {
    const target = decodeSwitch(inputs["data"])
    if (Either.isLeft(target)) return invalid(`inputs.data: ${firstIssue(target.left)}`)
    return Either.map(
      toAddress(target.right.id, target.right.chatId ?? "", "inputs.data.id", "inputs.data.chatId"),
      (to) => ({ _tag: "Switch", to, address })
    )
  }
  return asked(fields, inputs, address, "default")
}

const inputsOf = ({ inputs }: Fields): Either.Either<Readonly<Record<string, unknown>>, InvalidInput> => {
  if (inputs === undefined || inputs === null) return Either.right({})
  return isObject(inputs) ? Either.right(inputs) : invalid("inputs: must be an object")
}

const replied = (
  fields: Fields,
  address: Address | null,
  action: Reply["action"],
  body: unknown
): Either.Either<Payload, InvalidInput> =>
  Either.right({ _tag: "Reply", action, body, clientMsgId: fields.client_msg_id ?? null, address })

const asked = (
  fields: Fields,
  inputs: Readonly<Record<string, unknown>>,
  address: Address | null,
  action: string
): Either.Either<Payload, InvalidInput> =>
  Either.right({
    _tag: "Ask",
    action,
    inputs,
    clientMsgId: fields.client_msg_id ?? null,
    onBusy: fields.on_busy ?? "enqueue",
    address
  })

const addressOf = (fields: Fields): Either.Either<Address | null, InvalidInput> => {
  if (!fields.flow_id || !fields.chat_id) return Either.right(null)
  return toAddress(fields.flow_id, fields.chat_id, "flow_id", "chat_id")
}

const toAddress = (
  flow: string,
  chatId: string,
  flowName: string,
  chatName: string
): Either.Either<Address, InvalidInput> => {
  const flowId = normalFlowId(flow)
  if (flowId === null) return invalid(`${flowName} must be 32 hex digits`)
  if (chatId !== "" && !isChatId(chatId)) {
    return invalid(`${chatName} must be 1 to 64 letters, digits or "_.:-"`)
  }
  return Either.right({ flowId, chatId })
}

const invalid = (reason: string) => Either.left(new InvalidInput({ reason }))

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseObject = (text: string): Readonly<Record<string, unknown>> | null => {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** Looks at brackets outside strings only; what is not JSON at all is found by the parser. */
const isTooDeep = (text: string): boolean => {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 92) i += 1
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 123 || code === 91) {
      depth += 1
      if (depth > maxDepth) return true
    } else if (code === 125 || code === 93) depth -= 1
  }
  return false
}

/** "inputs: Expected …": where and what, in one line. */
const firstIssue = (error: ParseResult.ParseError): string => {
  const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
  if (issue === undefined) return "of the wrong shape"
  return `${issue.path.join(".")}: ${issue.message}`.slice(0, 300)
}
