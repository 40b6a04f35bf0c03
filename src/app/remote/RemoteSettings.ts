/**
 * What the record of a remote app holds: where the service is, how it is spoken to, and what proves that we may.
 * `api_key` and the headers' values are secrets: they leave this room only in requests to that service.
 */
import * as Schema from "effect/Schema"
import { redactor } from "../../model/OpenAi/failure.ts"

const Nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

const maxHeaders = 32

/** What the transport itself says. */
const reserved = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** null: it may be sent. */
const wrongWith = (name: string): string | null => {
  if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(name)) return `"${name.slice(0, 60)}" is no name of a header`
  return reserved.has(name.toLowerCase()) ? `"${name}" is set by the server itself` : null
}

const oneLine = (most: number) =>
  Schema.String.pipe(
    // Without the value: it may be a secret.
    Schema.filter((text) => text.length <= most && /^[\x20-\x7e]*$/.test(text), {
      message: () => `must be one line of at most ${most} plain characters`
    })
  )

const Url = Schema.String.pipe(
  Schema.filter(
    (text) => {
      const url = URL.canParse(text) ? new URL(text) : null
      if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
        return false
      }
      return url.username === "" && url.password === ""
    },
    {
      message: () =>
        'must be an http(s) address without a password in it; "api_key" and "headers" are for those'
    }
  )
)

const Headers = Schema.Record({ key: Schema.String, value: oneLine(8_192) }).pipe(
  Schema.filter((headers) => {
    const names = Object.keys(headers)
    if (names.length > maxHeaders) return `at most ${maxHeaders} headers`
    return names.map(wrongWith).find((wrong) => wrong !== null)
  })
)

export const RemoteSettings = Schema.Struct({
  protocol: Schema.Literal("openai", "ag-ui"),
  /** "openai": up to and without `/chat/completions`. "ag-ui": the address that takes the run's input. */
  url: Url,
  /** "openai": needed. "ag-ui": passed on where it is given. */
  model: Nullish(Schema.String.pipe(Schema.maxLength(200))),
  /** Sent as `Authorization: Bearer …`. */
  api_key: Nullish(oneLine(8_192)),
  headers: Nullish(Headers),
  /** The longest silence, in seconds. */
  timeout: Nullish(Schema.Number.pipe(Schema.between(1, 600))),
  /** An instruction that goes before every conversation. */
  system: Nullish(Schema.String.pipe(Schema.maxLength(100_000))),
  temperature: Nullish(Schema.Number.pipe(Schema.between(0, 2))),
  guide_word: Nullish(Schema.String),
  guide_question: Nullish(Schema.Array(Schema.String)),
  on_disconnect: Nullish(Schema.Literal("continue", "cancel"))
}).pipe(
  Schema.filter((settings) =>
    settings.protocol === "openai" && !settings.model?.trim()
      ? { path: ["model"], message: "an OpenAI-compatible service is asked for a model by its name" }
      : undefined
  )
)

export type RemoteSettings = typeof RemoteSettings.Type

export const decodeRemote = Schema.decodeUnknown(RemoteSettings)

/** Takes every secret of a service out of a text that somebody is to read. */
export const secretsOf = ({ api_key, headers }: RemoteSettings): ((text: string) => string) => {
  const values = Object.values(headers ?? {})
  // "Bearer abc" is a secret for its second word.
  return redactor([api_key ?? "", ...values, ...values.flatMap((value) => value.split(/\s+/).slice(1))])
}

/** Stands for a secret in what clients are shown; sent back, it means: as it was. */
export const hidden = "********"

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A remote app's record as its owner may see it. */
export const withoutSecrets = (data: unknown): unknown => {
  if (!isFields(data)) return null
  const { api_key: key, headers } = data
  return {
    ...data,
    ...(key === undefined || key === null || key === "" ? {} : { api_key: hidden }),
    ...(isFields(headers)
      ? { headers: Object.fromEntries(Object.keys(headers).map((name) => [name, hidden])) }
      : {})
  }
}

/** A changed record, with the secrets that were sent back hidden as they are in the record before. */
export const keepingSecrets = (data: unknown, before: unknown): unknown => {
  if (!isFields(data) || !isFields(before)) return data
  // A secret belongs to the service that it was given for: to another one it is not sent.
  const same = data["url"] === before["url"]
  const old = same && isFields(before["headers"]) ? before["headers"] : {}
  const { api_key: key, headers } = data
  return {
    ...data,
    ...(key === hidden ? { api_key: same ? before["api_key"] : "" } : {}),
    ...(isFields(headers)
      ? {
          headers: Object.fromEntries(
            Object.entries(headers).flatMap(([name, value]) =>
              value === hidden ? (Object.hasOwn(old, name) ? [[name, old[name]]] : []) : [[name, value]]
            )
          )
        }
      : {})
  }
}
