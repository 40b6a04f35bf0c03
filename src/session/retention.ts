/**
 * What the sessions of a node keep of ended runs, together: a session in constant use never gives its frames up
 * otherwise, and thousands of those would keep gigabytes. Few sessions may keep a lot each; of many, each its share.
 */
import type { Retention } from "./KeptFrames.ts"

/** A frame is about a hundred bytes besides its characters. */
const all: Retention = { maxFrames: 512 * 1024, maxChars: 32 * 1024 * 1024 }
const mostOfOne: Retention = { maxFrames: 20_000, maxChars: 1024 * 1024 }
const leastOfOne: Retention = { maxFrames: 256, maxChars: 8 * 1024 }

export const sharedRetention = (sessions: () => number): Retention => {
  const share = (of: keyof Retention): number =>
    Math.max(leastOfOne[of], Math.min(mostOfOne[of], Math.floor(all[of] / Math.max(1, sessions()))))
  return {
    get maxFrames() {
      return share("maxFrames")
    },
    get maxChars() {
      return share("maxChars")
    }
  }
}
