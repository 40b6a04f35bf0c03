/** The REST endpoints the page uses. The session cookie goes along by itself. */
import { type Fields, isFields, list, number, text, texts, time } from "./read.ts"

export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = "ApiError"
    this.status = status
  }
}

const root = "/api/v1"

const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" }
  const response = await fetch(`${root}${path}`, { method, headers, ...json }).catch(() => {
    throw new ApiError(0, "The server does not answer. Check that it is running, then try again.")
  })
  return dataOf(response.status, await response.json().catch(() => null))
}

const dataOf = (status: number, body: unknown): unknown => {
  const code = isFields(body) ? number(body, "status_code") || status : status
  if (status < 300 && code === 200) return isFields(body) ? body["data"] : null
  const words = isFields(body) ? text(body, "status_message") : ""
  throw new ApiError(status < 300 ? code : status, words || `The server answered with an error (${status}).`)
}

export interface Me {
  readonly userId: number
  readonly name: string
  readonly isGuest: boolean
}

const readMe = (data: unknown): Me => {
  const fields = isFields(data) ? data : {}
  return {
    userId: number(fields, "user_id"),
    name: text(fields, "user_name"),
    isGuest: text(fields, "role") === "guest"
  }
}

export const me = async (): Promise<Me> => readMe(await call("GET", "/user/info"))
export const enterAsGuest = (): Promise<unknown> => call("POST", "/user/guest", {})
export const signIn = (name: string, password: string): Promise<unknown> =>
  call("POST", "/user/login", { user_name: name, password })
export const signOut = (): Promise<unknown> => call("POST", "/user/logout", {})
export const register = (name: string, password: string): Promise<unknown> =>
  call("POST", "/user/regist", { user_name: name, password })

/** How an app is talked to: a chat, a group that talks, many questions about files, a document, a workflow. */
export type AppKind = "skill" | "assistant" | "workflow" | "group" | "batch" | "report" | "remote"

/** flow_type 1 skill, 5 assistant, 10 workflow, 100 remote; what a skill's graph makes of it is in `features`. */
export interface App {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly kind: AppKind
  readonly greeting: string
  readonly starters: ReadonlyArray<string>
}

/** What a batch or a report may be given beforehand. */
export interface AppForm {
  /** Questions that the app brings. */
  readonly questions: ReadonlyArray<string>
  readonly files: ReadonlyArray<{ readonly id: string; readonly label: string }>
  readonly variables: ReadonlyArray<{ readonly id: string; readonly name: string }>
}

const kindOf = (flowType: number, features: Fields): AppKind => {
  if (flowType === 5) return "assistant"
  if (flowType === 10) return "workflow"
  if (features["report"] === true) return "report"
  if (features["group"] === true) return "group"
  if (features["batch"] === true) return "batch"
  return flowType === 100 ? "remote" : "skill"
}

/** What a graph's input nodes may be given; their fields are `data.node.template`, each with its `value`. */
const readForm = (graph: Fields): AppForm => {
  const nodes = list(graph["nodes"]).map((node) => {
    const data = isFields(node["data"]) ? node["data"] : {}
    const inner = isFields(data["node"]) ? data["node"] : {}
    const template = isFields(inner["template"]) ? inner["template"] : {}
    const fieldOf = (name: string): unknown => {
      const field = template[name]
      return isFields(field) ? field["value"] : undefined
    }
    return { id: text(data, "id") || text(node, "id"), type: text(data, "type"), fieldOf }
  })
  const named = (value: unknown): ReadonlyArray<string> =>
    typeof value === "string" ? texts(value.split(",")) : Array.isArray(value) ? value.flatMap(nameOf) : []
  const nameOf = (each: unknown): ReadonlyArray<string> =>
    typeof each === "string"
      ? [each]
      : isFields(each)
        ? texts([each["name"] ?? each["key"] ?? each["label"]])
        : []
  const questionsIn = (value: unknown) => (typeof value === "string" ? texts([value]) : texts(value))
  return {
    questions: nodes
      .filter(({ type }) => type === "InputNode")
      .flatMap(({ fieldOf }) => questionsIn(fieldOf("input"))),
    files: nodes
      .filter(({ type }) => type === "InputFileNode")
      .map(({ id, fieldOf }) => {
        const label = fieldOf("file_type")
        return { id, label: typeof label === "string" ? label : "" }
      }),
    variables: nodes
      .filter(({ type }) => type === "VariableNode")
      .flatMap(({ id, fieldOf }) => named(fieldOf("variables")).map((name) => ({ id, name })))
  }
}

export const appForm = async (id: string): Promise<AppForm> => {
  const data = await call("GET", `/flows/${id}`)
  const fields = isFields(data) ? data : {}
  return readForm(isFields(fields["data"]) ? fields["data"] : {})
}

const readApp = (fields: Fields): App => {
  const settings = isFields(fields["data"]) ? { ...fields["data"], ...fields } : fields
  const questions = settings["guide_question"]
  return {
    id: text(fields, "id"),
    name: text(fields, "name"),
    description: text(fields, "description") || text(fields, "desc"),
    kind: kindOf(number(fields, "flow_type"), isFields(fields["features"]) ? fields["features"] : {}),
    greeting: text(settings, "guide_word"),
    starters: typeof questions === "string" ? texts(questions.split("\n")) : texts(questions)
  }
}

export const apps = async (): Promise<ReadonlyArray<App>> =>
  list(await call("GET", "/chat/online")).map(readApp)

export interface Chat {
  readonly chatId: string
  readonly flowId: string
  readonly appName: string
  readonly title: string
  readonly at: Date | null
}

const readChat = (fields: Fields): Chat => {
  const latest = isFields(fields["latest_message"]) ? fields["latest_message"] : {}
  const appName = text(fields, "flow_name")
  const words = text(fields, "name") || text(fields, "first_question") || text(latest, "message")
  return {
    chatId: text(fields, "chat_id"),
    flowId: text(fields, "flow_id"),
    appName,
    title:
      words
        .replace(/[#*_`>|]/g, "")
        .replace(/\s+/g, " ")
        .trim()
        .slice(0, 120) || appName,
    at: time(fields, "update_time") ?? time(fields, "create_time")
  }
}

export const chats = async (page: number, limit: number): Promise<ReadonlyArray<Chat>> => {
  const data = await call("GET", `/chat/list?page=${page}&limit=${limit}`)
  return list(isFields(data) ? (data["list"] ?? data["data"]) : data).map(readChat)
}

export const deleteChat = (chatId: string): Promise<unknown> =>
  call("DELETE", `/chat/${encodeURIComponent(chatId)}`)

export interface Uploaded {
  /** How later requests name it. */
  readonly path: string
  readonly name: string
}

/** Gives a file to an app, for this chat. `progress` is told 0 to 1; `signal` calls it off. */
export const upload = async (
  flowId: string,
  chatId: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal
): Promise<Uploaded> => {
  const data = await send(`/upload/${flowId}?chat_id=${encodeURIComponent(chatId)}`, file, progress, signal)
  const fields = isFields(data) ? data : {}
  return { path: text(fields, "file_path"), name: text(fields, "file_name") || file.name }
}

const send = (
  path: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest()
    const form = new FormData()
    form.append("file", file)
    request.open("POST", `${root}${path}`)
    request.responseType = "json"
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total)
    })
    request.addEventListener("load", () => {
      try {
        resolve(dataOf(request.status, request.response))
      } catch (error) {
        reject(error instanceof ApiError ? error : new ApiError(0, String(error)))
      }
    })
    request.addEventListener("error", () => reject(new ApiError(0, "The upload broke off. Try again.")))
    request.addEventListener("abort", () => reject(new ApiError(0, "")))
    signal.addEventListener("abort", () => request.abort())
    request.send(form)
  })

/** A passage that an answer rests on. */
export interface Passage {
  /** Its place in the list: passages have no id. */
  readonly key: string
  readonly file: string
  readonly page: number | null
  /** "" where one may not read it. */
  readonly text: string
  /** Whether one may see it. */
  readonly allowed: boolean
  /** To the file, or the page; "" for none. */
  readonly url: string
}

const readPassage = (fields: Fields, place: number): Passage => ({
  key: `${place}`,
  file: text(fields, "source"),
  page: number(fields, "page") || null,
  text: text(fields, "chunk"),
  allowed: fields["right"] !== false,
  url: /^(https?:\/\/|\/(?!\/))/i.test(text(fields, "file_url")) ? text(fields, "file_url") : ""
})

export interface Sources {
  readonly keywords: ReadonlyArray<string>
  readonly passages: ReadonlyArray<Passage>
}

export const sources = async (messageId: number): Promise<Sources> => {
  const keywords = texts(await call("GET", `/qa/keyword?message_id=${messageId}`))
  const found = await call("POST", "/qa/chunk", { message_id: messageId, keys: keywords })
  return { keywords, passages: list(found).map(readPassage) }
}

/** What became of one app of an imported file. */
export interface Imported {
  /** Its place in the file: what failed has no id, and names need not differ. */
  readonly key: string
  readonly name: string
  /** "" where it was not created. */
  readonly id: string
  readonly online: boolean
  /** What it needs and this server has not, in words. */
  readonly lacks: ReadonlyArray<string>
  /** Why it was not imported at all; "" where it was. */
  readonly error: string
}

const readImported = (fields: Fields, place: number): Imported => {
  const lacks = list(fields["lacks"]).map((lack) =>
    [text(lack, "type"), text(lack, "reason")].filter((part) => part !== "").join(": ")
  )
  return {
    key: `${place}`,
    name: text(fields, "name"),
    id: text(fields, "id"),
    online: number(fields, "status") === 2,
    lacks: [...new Set(lacks)],
    error: text(fields, "error")
  }
}

/** Takes the JSON text of an exported app or several. */
export const importApps = async (json: string): Promise<ReadonlyArray<Imported>> =>
  list(await call("POST", "/flows/import", parsed(json))).map(readImported)

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    throw new ApiError(0, "This is not JSON. Choose the file that was exported.")
  }
}

export const putOnline = (id: string): Promise<unknown> => call("PATCH", `/flows/${id}`, { status: 2 })
