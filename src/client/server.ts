/** The server's addresses, and asking it over HTTP. */
import { isFields, numberOrNull, textOf } from "./json.ts"

export type Token = string | (() => string | Promise<string>)

export type Fetch = (
  url: string,
  init: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly credentials: "same-origin"
    readonly body?: string
  }
) => Promise<{ readonly status: number; readonly json: () => Promise<unknown> }>

export interface ServerOptions {
  readonly url?: string
  readonly token?: Token
  readonly fetch?: Fetch
}

/** The server answered, and refused. */
export class ServerError extends Error {
  readonly status: number
  readonly code: number

  constructor(status: number, code: number, message: string) {
    super(message)
    this.name = "ServerError"
    this.status = status
    this.code = code
  }
}

const tokenOf = async (token: Token | undefined): Promise<string | null> =>
  token === undefined ? null : typeof token === "string" ? token : token()

const baseOf = ({ url }: ServerOptions): URL => {
  if (url !== undefined) return new URL(url)
  const location: unknown = Reflect.get(globalThis, "location")
  if (typeof location === "object" && location !== null && "origin" in location) {
    return new URL(String(location.origin))
  }
  throw new Error("connect({ url }) is needed outside a page")
}

export const socketAddress = async (
  options: ServerOptions,
  flowId: string,
  chatId: string,
  resume: { readonly epoch: string; readonly lastSeq: number } | null
): Promise<string> => {
  const url = new URL(`/api/v1/chat/${flowId}`, baseOf(options))
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:"
  url.searchParams.set("chat_id", chatId)
  url.searchParams.set("native", "1")
  url.searchParams.set("brief", "1")
  if (resume !== null) {
    url.searchParams.set("last_seq", `${resume.lastSeq}`)
    url.searchParams.set("epoch", resume.epoch)
  }
  const token = await tokenOf(options.token)
  if (token !== null) url.searchParams.set("t", token)
  return url.href
}

export interface ServerRequest {
  /** GET unless said. */
  readonly method?: "GET" | "POST" | "PATCH"
  readonly body?: Readonly<Record<string, unknown>>
}

/** The `data` of a REST answer. */
export const askServer = async (
  options: ServerOptions,
  path: string,
  { method = "GET", body: said }: ServerRequest = {}
): Promise<unknown> => {
  const url = new URL(path, baseOf(options))
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "https:" : "http:"
  const token = await tokenOf(options.token)
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  if (said !== undefined) headers["content-type"] = "application/json"
  const ask: Fetch = options.fetch ?? ((href, init) => fetch(href, init))
  const answer = await ask(url.href, {
    method,
    headers,
    credentials: "same-origin",
    ...(said === undefined ? {} : { body: JSON.stringify(said) })
  })
  const body: unknown = await answer.json().catch(() => null)
  const code = isFields(body) ? (numberOrNull(body, "status_code") ?? answer.status) : answer.status
  if (answer.status !== 200 || code !== 200) {
    const words = isFields(body) ? textOf(body, "status_message") : ""
    throw new ServerError(answer.status, code, words || `the server answered ${answer.status}`)
  }
  return isFields(body) ? body["data"] : null
}
