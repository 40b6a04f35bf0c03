/** Whether a case's figures mean anything: collects what spoke against them while they were taken. */
import { median } from "./statistics.mjs"

/** Cores that other programs may use before the figures are called noisy. */
const maxStrangers = 0.25

export class Trust {
  #doubts = new Set()
  #strangers = []

  /** @param {{ doubts: ReadonlyArray<string>, strangers: number }} measured */
  add({ doubts, strangers }) {
    for (const doubt of doubts) this.#doubts.add(doubt)
    this.#strangers.push(strangers)
  }

  /** What spoke against any of these. @param {ReadonlyArray<Trust>} trusts */
  static ofAll(trusts) {
    const all = new Trust()
    for (const trust of trusts) {
      for (const doubt of trust.#doubts) all.#doubts.add(doubt)
      all.#strangers.push(...trust.#strangers)
    }
    return all
  }

  /** @param {string} why */
  doubt(why) {
    this.#doubts.add(why)
  }

  /** Part of a case's result. `invalid`: not to be used at all; `noise`: cores that other programs used. */
  get verdict() {
    const noise = this.#strangers.length === 0 ? 0 : median(this.#strangers)
    return {
      invalid: this.#doubts.size > 0 ? [...this.#doubts].join("; ") : null,
      noise: noise > maxStrangers ? Number(noise.toFixed(2)) : null
    }
  }
}
