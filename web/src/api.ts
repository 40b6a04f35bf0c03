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

/** 1 skill, 5 assistant, 10 workflow. */
export interface App {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly kind: "skill" | "assistant" | "workflow"
  readonly greeting: string
  readonly starters: ReadonlyArray<string>
}

const kindOf = (flowType: number): App["kind"] =>
  flowType === 5 ? "assistant" : flowType === 10 ? "workflow" : "skill"

const readApp = (fields: Fields): App => {
  const settings = isFields(fields["data"]) ? { ...fields["data"], ...fields } : fields
  const questions = settings["guide_question"]
  return {
    id: text(fields, "id"),
    name: text(fields, "name"),
    description: text(fields, "description") || text(fields, "desc"),
    kind: kindOf(number(fields, "flow_type")),
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

/** Gives a file to an app. `progress` is told 0 to 1; `signal` calls it off. */
export const upload = (
  flowId: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest()
    const form = new FormData()
    form.append("file", file)
    request.open("POST", `${root}/upload/${flowId}`)
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
