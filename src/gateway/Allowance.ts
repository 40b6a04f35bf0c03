/** How much one socket may say: a token bucket, refilled with time. */

const perSecond = 50
const burst = 200
/** Messages over the limit before the socket is closed. */
const patience = 50

export type Verdict = "ok" | "over" | "enough"

export class Allowance {
  private tokens = burst
  private refilled: number
  private strikes = 0

  constructor(now: number) {
    this.refilled = now
  }

  /** `now` in milliseconds. */
  spend(now: number): Verdict {
    this.tokens = Math.min(burst, this.tokens + ((now - this.refilled) / 1000) * perSecond)
    this.refilled = now
    if (this.tokens >= 1) {
      this.tokens -= 1
      if (this.tokens > burst / 2) this.strikes = 0
      return "ok"
    }
    this.strikes += 1
    return this.strikes >= patience ? "enough" : "over"
  }

  /** Milliseconds until the next message is welcome. */
  get retryAfterMs(): number {
    return Math.max(1, Math.ceil(((1 - this.tokens) / perSecond) * 1000))
  }
}
