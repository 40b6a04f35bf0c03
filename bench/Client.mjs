/** One chat client: asks, stops, and notes when what arrived. */
import { WebSocket } from "ws"
import { now } from "./clock.mjs"

/**
 * @typedef {{ base: string, flowId: string, token: string }} Target
 * @typedef {{ id: string, asked: number, begun: boolean, last: number, closed: number | null }} Answer when it
 *   was asked for, whether its first token has come, when the upstream wrote its last token, when it was closed; in
 *   microseconds of the shared clock
 */

export class Client {
  tokens = 0
  frames = 0
  bytes = 0
  late = 0
  /** @type {Array<string>} */
  errors = []
  asked = 0
  /** What the server added to each first token, and what each `close` came after the last, in microseconds. */
  firstToken = []
  closeTail = []
  /** @type {Answer | null} */
  #current = null
  /** @type {Array<() => void>} */
  #waiting = []
  /** @type {WebSocket | null} */
  #ws = null
  #serial = 0

  /** @param {Target} target @param {string} name also the chat's id */
  constructor(target, name) {
    this.target = target
    this.name = name
  }

  /** Resolves when the server has told that the session is open. @returns {Promise<void>} */
  open() {
    const { base, flowId, token } = this.target
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(`${base}/api/v1/chat/${flowId}?chat_id=${this.name}&native=1&t=${token}`, {
        perMessageDeflate: false
      })
      this.#ws = ws
      ws.on("error", reject)
      ws.on("unexpected-response", (_, response) => reject(new Error(`refused with ${response.statusCode}`)))
      ws.on("close", (code, reason) => {
        reject(new Error(`closed with ${code} ${reason}`))
        if (code !== 1000) this.errors.push(`closed with ${code} ${reason}`)
        this.#end()
      })
      ws.on("message", (data) => {
        this.#receive(data)
        resolve()
      })
    })
  }

  get busy() {
    return this.#current !== null
  }

  /** @param {number} tokens @param {number} delay milliseconds @returns {Answer} */
  ask(tokens, delay) {
    const id = `${this.name}-${this.#serial++}`
    this.#current = { id, asked: now(), begun: false, last: 0, closed: null }
    this.asked += 1
    this.#ws?.send(JSON.stringify({ inputs: { input: `tokens=${tokens} delay=${delay} id=${id}` } }))
    return this.#current
  }

  /** Answers when it was sent. */
  stop() {
    const at = now()
    this.#ws?.send('{"action":"stop"}')
    return at
  }

  /** Resolves when no answer is in progress. @returns {Promise<void>} */
  idle() {
    return this.busy ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve()
  }

  /** @returns {Promise<void>} */
  close() {
    return new Promise((resolve) => {
      const ws = this.#ws
      if (ws === null || ws.readyState === ws.CLOSED) return resolve()
      ws.on("close", () => resolve())
      ws.close(1000)
      setTimeout(() => ws.terminate(), 2_000).unref()
    })
  }

  /** Counts anew from here on; the answer in progress stays. */
  reset() {
    this.tokens = 0
    this.frames = 0
    this.bytes = 0
    this.late = 0
    this.asked = 0
    this.firstToken = []
    this.closeTail = []
  }

  #receive(data) {
    const frame = JSON.parse(data.toString())
    this.bytes += data.length
    this.frames += 1
    if (frame.type === "stream") {
      if (frame.message?.content) this.#text(frame.message.content)
      return
    }
    if (frame.category === "error") this.errors.push(JSON.stringify(frame.message))
    if (frame.type === "close") this.#end()
  }

  /** Every token ends with a space. @param {string} text */
  #text(text) {
    for (let at = text.indexOf(" "); at !== -1; at = text.indexOf(" ", at + 1)) this.tokens += 1
    if (!text.includes("@")) return
    const current = this.#current
    if (current === null) return
    const first = /@first:(\d+):(\d+)/.exec(text)
    if (first) {
      current.begun = true
      this.firstToken.push(now() - current.asked - (Number(first[2]) - Number(first[1])))
    }
    const last = /@last:(\d+)/.exec(text)
    if (last) current.last = Number(last[1])
  }

  #end() {
    const at = now()
    if (this.#current !== null) {
      this.#current.closed = at
      if (this.#current.last > 0) this.closeTail.push(at - this.#current.last)
    }
    this.#current = null
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
