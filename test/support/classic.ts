/**
 * A client that behaves as Bisheng's own web clients do, and knows nothing else: it draws bubbles from
 * begin / start / stream / end / close, is busy until `close/processing`, answers `end_cover` with a stop,
 * opens a workflow by `check_status` or `init_data`, and connects again when it has something to say.
 * Frames that such a client would choke on throw here.
 */
import { WebSocket } from "ws"

export interface Bubble {
  readonly category: string
  text: string
  reasoning: string
  steps: string
  done: boolean
  readonly messageId: number | string | null
  readonly sender: string | null
  readonly receiver: Fields | null
  readonly message: unknown
  readonly files: ReadonlyArray<{ readonly file_url: string; readonly file_name: string }>
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = (value: unknown): string => (typeof value === "string" ? value : "")

export class ClassicClient {
  readonly bubbles: Array<Bubble> = []
  readonly errors: Array<unknown> = []
  /** `type/category` of every frame. */
  readonly names: Array<string> = []
  closes = 0
  busy = false
  /** The server has ended the socket. */
  refused = false
  private readonly url: string
  private readonly address: { readonly flow_id: string; readonly chat_id: string }
  private socket: WebSocket | null = null
  private broken: Error | null = null
  private watchers: Array<() => void> = []

  constructor(base: string, flowId: string, chatId: string, token: string) {
    this.url = `${base.replace(/^http/, "ws")}/api/v1/chat/${flowId}?chat_id=${chatId}&t=${token}`
    this.address = { flow_id: flowId, chat_id: chatId }
  }

  /** Says it, on a new socket where the old one is gone. */
  async send(payload: Fields): Promise<void> {
    const socket = await this.connected()
    socket.send(JSON.stringify({ ...this.address, ...payload }))
  }

  drop(): void {
    this.socket?.terminate()
    this.socket = null
  }

  /** Waits until it holds; says what it saw instead when it does not within ten seconds. */
  async until(what: string, test: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () =>
          reject(new Error(`waited for ${what}; saw ${this.names.join(" ")} ${JSON.stringify(this.errors)}`)),
        20_000
      )
      const look = () => {
        if (this.broken === null && !test()) return
        clearTimeout(late)
        this.watchers = this.watchers.filter((other) => other !== look)
        if (this.broken === null) resolve()
        else reject(this.broken)
      }
      this.watchers.push(look)
      look()
    })
  }

  /** The bubble that asks something: the last one of these categories. */
  prompt(...categories: ReadonlyArray<string>): Bubble | undefined {
    return this.bubbles.findLast(({ category }) => categories.includes(category))
  }

  private async connected(): Promise<WebSocket> {
    if (this.socket !== null && this.socket.readyState === WebSocket.OPEN) return this.socket
    const socket = new WebSocket(this.url, { perMessageDeflate: false })
    this.socket = socket
    socket.on("message", (data) => {
      try {
        this.take(JSON.parse(data.toString()))
      } catch (error) {
        this.broken = error instanceof Error ? error : new Error(String(error))
      }
      for (const watcher of [...this.watchers]) watcher()
    })
    socket.on("close", (code) => {
      this.refused = code >= 4000
      for (const watcher of [...this.watchers]) watcher()
    })
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve())
      socket.once("error", reject)
    })
    return socket
  }

  private take(frame: Fields): void {
    const type = text(frame["type"])
    const category = text(frame["category"])
    this.names.push(`${type}/${category}`)
    if (frame["chat_id"] !== this.address.chat_id) throw new Error("a frame of another session")
    if (category === "error") {
      const { message } = frame
      this.errors.push(typeof message === "string" ? JSON.parse(message) : message)
      return
    }
    switch (type) {
      case "begin":
        this.busy = true
        return
      case "start":
        if (category !== "node_run") this.open(frame)
        return
      case "stream":
        this.stream(frame)
        return
      case "end":
      case "end_cover":
        if (category === "node_run") return
        this.end(frame)
        if (type === "end_cover") void this.send({ action: "stop" })
        return
      case "over":
        this.open(frame).done = true
        return
      case "close":
        if (category !== "processing") throw new Error(`a close of category ${category}`)
        this.busy = false
        this.closes += 1
        return
      default:
        throw new Error(`a frame of type ${type}, which nobody asked for`)
    }
  }

  private open(frame: Fields): Bubble {
    const files = Array.isArray(frame["files"]) ? frame["files"] : []
    const { message } = frame
    const bubble: Bubble = {
      category: text(frame["category"]),
      text: isFields(message) ? text(message["msg"]) : text(message),
      reasoning: "",
      steps: text(frame["intermediate_steps"]),
      done: false,
      messageId: idOf(frame["message_id"]),
      sender: text(frame["sender"]) || null,
      receiver: isFields(frame["receiver"]) ? frame["receiver"] : null,
      message,
      files
    }
    this.bubbles.push(bubble)
    return bubble
  }

  private stream(frame: Fields): void {
    const { message } = frame
    // Read without a look by the web client: null here would end its page.
    if (!isFields(message)) throw new Error("a stream frame without a message")
    if (frame["category"] === "stream_msg") {
      const mine = this.bubbles.findLast(
        (one) => isFields(one.message) && one.message["unique_id"] === message["unique_id"]
      )
      const bubble = mine ?? this.open({ ...frame, message: { ...message, msg: "" } })
      bubble.text += text(message["msg"])
      bubble.reasoning += text(message["reasoning_content"])
      return
    }
    const bubble = this.bubbles.findLast(({ done }) => !done)
    if (bubble === undefined) throw new Error("a stream frame without an open bubble")
    bubble.text += text(message["content"])
    bubble.reasoning += text(message["reasoning_content"])
    bubble.steps += text(frame["intermediate_steps"])
  }

  private end(frame: Fields): void {
    const { message } = frame
    if (frame["category"] === "stream_msg") {
      if (!isFields(message)) throw new Error("the end of a node's stream without a message")
      const mine = this.bubbles.findLastIndex(
        (one) => isFields(one.message) && one.message["unique_id"] === message["unique_id"]
      )
      const whole = this.open(frame)
      whole.done = true
      if (mine >= 0) this.bubbles.splice(mine, 1)
      return
    }
    const at = this.bubbles.findLastIndex(({ done }) => !done)
    const before = at < 0 ? undefined : this.bubbles[at]
    const ended = this.open({
      ...frame,
      message: text(message) === "" ? (before?.text ?? "") : message,
      intermediate_steps: text(frame["intermediate_steps"]) || (before?.steps ?? "")
    })
    ended.done = true
    if (at >= 0) this.bubbles.splice(at, 1)
  }
}

const idOf = (value: unknown): number | string | null =>
  typeof value === "number" || typeof value === "string" ? value : null
