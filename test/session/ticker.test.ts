/** Streamed text of a busy process waits a moment for more of it; nothing else does, and nothing is late because of it. */
import { describe, expect, it } from "@effect/vitest"
import { Patience, windowAt } from "../../src/Pace.ts"
import { frame } from "../../src/protocol/frames.ts"
import { runBubble } from "../../src/protocol/streaming.ts"
import { FrameLog } from "../../src/session/FrameLog.ts"
import { ticker } from "../../src/session/Ticker.ts"

const address = { flowId: "f".repeat(32), chatId: "chat" }
const bubble = runBubble(address, "r1")

/** Calls what was asked for, when it is told to. */
const calls = () => {
  const waiting: Array<() => void> = []
  return {
    add: (then: () => void) => waiting.push(then),
    count: () => waiting.length,
    all: () => {
      for (const then of waiting.splice(0)) then()
    }
  }
}

/** A log of a process whose turns and windows end when they are told to. */
const logAt = (millis: number) => {
  const turn = calls()
  const window = calls()
  let now = millis
  const { schedule } = ticker({ window: () => now, wait: window.add }, turn.add)
  const log = new FrameLog({
    epoch: "e1",
    address,
    onDirty: schedule,
    retention: { maxFrames: 100, maxChars: 10_000 }
  })
  log.beginRun("r1", "node")
  log.append(frame(address, "begin", "processing"))
  turn.all()
  return {
    log,
    turn,
    window,
    say: (text: string) => log.delta("content", text, bubble),
    become: (millis: number) => {
      now = millis
    }
  }
}

describe("streamed text", () => {
  it("leaves in its turn at leisure", () => {
    const { log, say, turn, window } = logAt(0)
    for (const text of ["a", "b", "c"]) {
      const before = log.written
      say(text)
      turn.all()
      expect(log.written).toBe(before + 1)
    }
    expect(window.count()).toBe(0)
  })

  it("leaves in its turn where it is the first, and waits for more after that", () => {
    const { log, say, turn, window } = logAt(10)
    const before = log.written
    say("first")
    turn.all()
    expect(log.written).toBe(before + 1)
    say("second")
    say("third")
    turn.all()
    expect(log.written).toBe(before + 1)
    window.all()
    turn.all()
    expect(log.written).toBe(before + 2)
  })

  it("takes along what is read in the turn after the window", () => {
    const { log, say, turn, window } = logAt(10)
    say("first")
    turn.all()
    const before = log.written
    say("second")
    window.all()
    expect(log.written).toBe(before)
    say("third")
    turn.all()
    expect(log.written).toBe(before + 1)
    expect(window.count()).toBe(0)
    expect(log.batchAfter(before).text).toContain("secondthird")
  })

  it("does not wait where a frame comes after it, and keeps its place before that", () => {
    const { log, say, turn, window } = logAt(10)
    say("first")
    turn.all()
    const before = log.written
    say("second")
    log.append(frame(address, "close", "processing"))
    turn.all()
    expect(log.written).toBe(before + 2)
    const { text } = log.batchAfter(before)
    expect(text.indexOf("second")).toBeLessThan(text.indexOf("close"))
    window.all()
    turn.all()
    expect(log.written).toBe(before + 2)
  })

  it("does not wait where it is of another kind or bubble", () => {
    const { log, say, turn } = logAt(10)
    say("said")
    turn.all()
    const before = log.written
    log.delta("reasoning_content", "thought", bubble)
    turn.all()
    expect(log.written).toBe(before + 1)
    log.delta("reasoning_content", "elsewhere", runBubble(address, "r1"))
    turn.all()
    expect(log.written).toBe(before + 2)
  })

  it("does not stay behind where the process is at leisure again", () => {
    const { log, say, turn, window, become } = logAt(10)
    say("first")
    turn.all()
    const before = log.written
    say("second")
    become(0)
    window.all()
    turn.all()
    expect(log.written).toBe(before + 1)
  })
})

describe("the window", () => {
  it("is nothing up to 15 % of a core, 40 ms from 40 % on, and grows between", () => {
    expect([0, 0.15, 0.275, 0.4, 1].map(windowAt)).toEqual([0, 0, 20, 40, 40])
  })
})

describe("a text that comes too slowly for the window", () => {
  /** Says so many pieces, each of which has its turn and its window to itself; answers how many waited. */
  const waits = ({ say, turn, window }: ReturnType<typeof logAt>, pieces: number): number => {
    let waited = 0
    for (let i = 0; i < pieces; i++) {
      say("slow ")
      turn.all()
      waited += window.count()
      window.all()
      turn.all()
    }
    return waited
  }

  it("does not wait any more after two windows that brought nothing, and tries it again later", () => {
    const at = logAt(10)
    at.say("first")
    at.turn.all()
    expect(waits(at, 2)).toBe(2)
    expect(waits(at, 16)).toBe(0)
    expect(waits(at, 1)).toBe(1)
  })

  it("goes on waiting where other nodes have to know first", () => {
    const at = logAt(10)
    at.log.share({ push: () => undefined })
    at.say("first")
    at.turn.all()
    expect(waits(at, 40)).toBe(40)
  })

  it("goes on waiting where every other window brings something", () => {
    const patience = new Patience()
    const waited = Array.from({ length: 100 }, (_, i) => {
      const mayWait = patience.mayWait()
      patience.waited(1 + (i % 2))
      return mayWait
    })
    expect(waited).not.toContain(false)
  })
})
