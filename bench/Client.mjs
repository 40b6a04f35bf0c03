/** One chat client: asks, stops, and notes when what arrived. How it speaks is its wire's. */
import { now } from "./clock.mjs"
import { wires } from "./wires.mjs"

/**
 * @typedef {{ wire: string, base: string, stopBase?: string, flowId: string, token: string,
 *   places?: ReadonlyArray<{ base: string, flowId?: string, token?: string }>, spread?: boolean, tabs?: boolean,
 *   brief?: boolean }} Target `stopBase`: the node that is told to stop, where it is another one; `places`: where else to
 *   ask, when clients are spread; `brief`: ask for text in short frames
 * @typedef {{ id: string, asked: number, begun: boolean, last: number, heard: number, closed: number | null }} Answer
 *   when it was asked for, whether its first token has come, when the upstream wrote its last token and when that came here,
 *   when it was closed; in microseconds of the shared clock
 * @typedef {{ frame: (bytes: number) => void, bytes: (count: number) => void, text: (text: string) => void,
 *   failed: (why: string) => void, ended: () => void }} Heard what a wire tells its client: a frame and its size
 *   (or sizes apart, where frames share reads), text of the answer, an error, the end of the answer
 * @typedef {{ open: () => Promise<void>, ask: (question: string) => void, stop: () => void,
 *   close: () => Promise<void>, cut?: () => void, recovered?: () => boolean }} Wire `open` resolves when a question can
 *   be asked; after `cut` it opens again from where it was, and `recovered` says that nothing was missed
 * @typedef {(target: Target, name: string, heard: Heard) => Wire} MakeWire
 */

const nothing = () => undefined
/** @type {Heard} */
const nobody = { frame: nothing, bytes: nothing, text: nothing, failed: nothing, ended: nothing }

export class Client {
  tokens = 0
  frames = 0
  bytes = 0
  late = 0
  /** @type {Array<string>} */
  errors = []
  asked = 0
  /**
   * What the server added to each first token, and what each `close` came after the upstream had written the last one, and
   * after that had come here, in microseconds.
   */
  firstToken = []
  closeTail = []
  closeGap = []
  /** @type {Answer | null} */
  #current = null
  /** @type {Array<() => void>} */
  #waiting = []
  /** @type {Wire} */
  #wire
  /** From where it stops: another node, if the target names one. @type {Wire} */
  #stopper
  #serial = 0

  /** @param {Target} target @param {string} name also the chat's id */
  constructor(target, name) {
    this.name = name
    this.#wire = wires[target.wire](target, name, {
      frame: (bytes) => {
        this.frames += 1
        this.bytes += bytes
      },
      bytes: (count) => {
        this.bytes += count
      },
      text: (text) => this.#text(text),
      failed: (why) => this.errors.push(why),
      ended: () => this.#end()
    })
    const failed = (why) => this.errors.push(why)
    this.#stopper =
      target.stopBase === undefined
        ? this.#wire
        : wires[target.wire]({ ...target, base: target.stopBase }, name, { ...nobody, failed })
  }

  /** Resolves when the server has told that the session is open. */
  async open() {
    await this.#wire.open()
    if (this.#stopper !== this.#wire) await this.#stopper.open()
  }

  /** Loses its connection without a word. */
  cut() {
    this.#wire.cut?.()
  }

  /** Opens again from where it was. Answers whether the server says that nothing was missed. */
  async reopen() {
    await this.#wire.open()
    return this.#wire.recovered?.() ?? false
  }

  get busy() {
    return this.#current !== null
  }

  /** @param {number} tokens @param {number} delay milliseconds @returns {Answer} */
  ask(tokens, delay) {
    const id = `${this.name}-${this.#serial++}`
    this.#current = { id, asked: now(), begun: false, last: 0, heard: 0, closed: null }
    this.asked += 1
    this.#wire.ask(`tokens=${tokens} delay=${delay} id=${id}`)
    return this.#current
  }

  /** Answers when it was sent. */
  stop() {
    const at = now()
    this.#stopper.stop()
    return at
  }

  /** Resolves when no answer is in progress. @returns {Promise<void>} */
  idle() {
    return this.busy ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve()
  }

  async close() {
    await this.#wire.close()
    if (this.#stopper !== this.#wire) await this.#stopper.close()
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
    this.closeGap = []
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
    if (last) {
      current.last = Number(last[1])
      current.heard = now()
    }
  }

  #end() {
    const at = now()
    if (this.#current !== null) {
      this.#current.closed = at
      if (this.#current.last > 0) {
        this.closeTail.push(at - this.#current.last)
        this.closeGap.push(at - this.#current.heard)
      }
    }
    this.#current = null
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
