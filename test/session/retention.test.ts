import { describe, expect, it } from "vitest"
import { sharedRetention } from "../../src/session/retention.ts"

const mi = 1024 * 1024

describe("what a session keeps of ended runs", () => {
  it.each([
    [0, 20_000, mi],
    [1, 20_000, mi],
    [26, 20_000, mi],
    [32, 16_384, mi],
    [64, 8_192, mi / 2],
    [2_000, 262, 16_777],
    [1_000_000, 256, 8_192]
  ])("is, of %d sessions, %d frames and %d characters", (sessions, maxFrames, maxChars) => {
    expect({ ...sharedRetention(() => sessions) }).toEqual({ maxFrames, maxChars })
  })

  it("becomes less as sessions come, and more as they go", () => {
    let sessions = 1
    const retention = sharedRetention(() => sessions)
    const alone = retention.maxChars
    sessions = 1_000
    const oneOfMany = retention.maxChars
    sessions = 1
    expect(oneOfMany).toBeLessThan(alone)
    expect(retention.maxChars).toBe(alone)
  })
})
