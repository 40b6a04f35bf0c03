/** A person's answers to nodes that wait, checked before anything goes on. Nothing in them is trusted. */
import * as Either from "effect/Either"
import type { Json } from "../../protocol/frames.ts"
import type { Reply } from "../App.ts"
import type { FlowNode, NodeReply } from "./NodeType.ts"

/** The longest text that a person may answer. */
export const maxAnswer = 100_000

/** What the answers say together, and each by its node. */
export interface Replies {
  readonly text: string
  readonly byNode: ReadonlyMap<string, NodeReply>
}

/** `{<node id>: {data: {<key>: value}, message, message_id}}`, for one or several of the nodes that wait. */
export const acceptReplies = (
  reply: Reply,
  waiting: ReadonlySet<string>,
  nodes: ReadonlyMap<string, FlowNode>
): Either.Either<Replies, string> =>
  Either.gen(function* () {
    if (reply.action !== "input") {
      return yield* Either.left(
        'this workflow waits for {"action": "input", "data": {"<node id>": {"data": …}}}'
      )
    }
    const bodies = isRecord(reply.body) ? Object.entries(reply.body) : []
    if (bodies.length === 0) {
      return yield* Either.left(`the answer names no node; these wait: ${listed(waiting)}`)
    }
    const byNode = new Map<string, NodeReply>()
    for (const [id, body] of bodies) {
      const node = nodes.get(id)
      if (node === undefined) {
        return yield* Either.left(`there is no node "${id.slice(0, 60)}"; these wait: ${listed(waiting)}`)
      }
      if (node.accept === undefined || !waiting.has(id)) {
        return yield* Either.left(`node "${id}" does not wait for an answer; these do: ${listed(waiting)}`)
      }
      const data = isRecord(body) ? body["data"] : undefined
      if (!isRecord(body) || !isRecord(data)) {
        return yield* Either.left(`the answer to node "${id}" must be {"data": {"<key>": value}}`)
      }
      const accepted = yield* Either.mapLeft(node.accept(data), (why) => `node "${id}": ${why}`)
      const message = body["message"]
      const worded = typeof message === "string" && message.trim() !== "" && message.length <= maxAnswer
      byNode.set(id, worded ? { ...accepted, text: message } : accepted)
    }
    return { byNode, text: [...byNode.values()].map(({ text }) => text).join("\n") }
  })

/** A text of the answer; a number counts as one. Left: what is wrong with it. */
export const text = (
  data: Readonly<Record<string, unknown>>,
  key: string,
  what: string
): Either.Either<string, string> => {
  const value = data[key]
  if (value === undefined || value === null) return Either.left(`${what} is missing: "${key}"`)
  if (typeof value === "number") return Either.right(String(value))
  if (typeof value !== "string") return Either.left(`"${key}" must be a text`)
  if (value.length > maxAnswer) {
    return Either.left(`"${key}" is ${value.length} characters long (limit ${maxAnswer})`)
  }
  return Either.right(value)
}

/** Texts of the answer, or one; none where it is absent. Left: what is wrong with them. */
export const texts = (
  data: Readonly<Record<string, unknown>>,
  key: string,
  limit: number
): Either.Either<ReadonlyArray<string>, string> => {
  const value = data[key] ?? []
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : value === "" ? [] : [value]
  const found = list.filter((one) => typeof one === "string")
  if (found.length < list.length || found.some((one) => one.length > 4_096)) {
    return Either.left(`"${key}" must be a list of short texts`)
  }
  return found.length > limit
    ? Either.left(`"${key}" has ${found.length} entries (limit ${limit})`)
    : Either.right(found)
}

export type Values = Readonly<Record<string, Json>>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const listed = (ids: ReadonlySet<string>): string =>
  ids.size === 0 ? "none" : [...ids].map((id) => `"${id}"`).join(", ")
