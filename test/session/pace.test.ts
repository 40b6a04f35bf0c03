/** Streamed text of a busy node waits a moment for more of it; nothing else does, and nothing is late because of it. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { frame } from "../../src/protocol/frames.ts"
import { runBubble } from "../../src/protocol/streaming.ts"
import { FrameLog } from "../../src/session/FrameLog.ts"
import { windowAt } from "../../src/session/Pace.ts"
import { Delivery } from "../../src/session/shared/Delivery.ts"
import type { Append, LogStoreService } from "../../src/session/shared/LogStore.ts"

const address = { flowId: "f".repeat(32), chatId: "chat" }
const bubble = runBubble(address, "r1")
const unused = Effect.dieMessage("not part of a delivery")

/** A delivery to a store that answers when it is told to, at a pace that calls when it is told to. */
const deliveryAt = (window: number) => {
  const sent: Array<Append> = []
  const answers: Array<() => void> = []
  const waiting: Array<() => void> = []
  const store: LogStoreService = {
    claim: () => unused,
    append: (_, append, answer) => {
      sent.push(append)
      answers.push(() => answer(Either.right({ _tag: "Ok" })))
    },
    release: () => unused,
    read: () => unused,
    glance: () => unused,
    beat: () => unused,
    leave: () => unused,
    follow: () => Effect.void,
    note: () => unused,
    followers: () => unused,
    attend: () => Effect.void,
    tell: () => unused
  }
  const log = new FrameLog({
    epoch: "e1",
    address,
    onDirty: () => undefined,
    retention: { maxFrames: 100, maxChars: 10_000 }
  })
  let fence: string | null = "1"
  const delivery = new Delivery({
    store,
    key: "chat",
    log,
    pace: { window: () => window, wait: (then) => waiting.push(then) },
    fence: () => fence,
    fork: () => expect.unreachable("nothing goes wrong"),
    onLost: unused,
    onOvertaken: unused
  })
  log.share({ push: () => delivery.push() })
  const answer = () => answers.shift()?.()
  const say = (text: string) => {
    log.delta("content", text, bubble)
    log.flush()
  }
  return {
    log,
    delivery,
    sent,
    answer,
    say,
    begin: () => {
      log.beginRun("r1", "node")
      log.append(frame(address, "begin", "processing"))
      log.flush()
      answer()
    },
    waits: () => waiting.length,
    callAll: () => {
      for (const then of waiting.splice(0)) then()
    },
    lose: () => {
      fence = null
      delivery.end()
    }
  }
}

describe("streamed text on its way to the store", () => {
  it("leaves at once at leisure", () => {
    const { begin, say, answer, sent, waits } = deliveryAt(0)
    begin()
    for (const text of ["a", "b", "c"]) {
      say(text)
      answer()
    }
    expect(sent).toHaveLength(4)
    expect(waits()).toBe(0)
  })

  it("leaves at once where it is a run's first, and waits for more after that", () => {
    const { begin, say, answer, sent, callAll, log } = deliveryAt(10)
    begin()
    say("first")
    expect(sent).toHaveLength(2)
    answer()
    say("second")
    say("third")
    expect(sent).toHaveLength(2)
    callAll()
    expect(sent).toHaveLength(3)
    expect(sent[2]?.batch).toContain("second")
    expect(sent[2]?.batch).toContain("third")
    answer()
    expect(log.lastSeq).toBe(log.written)
  })

  it("does not wait where a frame comes after it, and keeps its place before that", () => {
    const { begin, say, answer, sent, callAll, log } = deliveryAt(10)
    begin()
    say("first")
    answer()
    say("second")
    log.append(frame(address, "close", "processing"))
    log.flush()
    expect(sent).toHaveLength(3)
    const batch = sent[2]?.batch ?? ""
    expect(batch.indexOf("second")).toBeLessThan(batch.indexOf("close"))
    answer()
    callAll()
    expect(sent).toHaveLength(3)
  })

  it("is not sent any more where the lease is lost meanwhile", () => {
    const { begin, say, answer, sent, callAll, lose } = deliveryAt(10)
    begin()
    say("first")
    answer()
    say("second")
    lose()
    callAll()
    expect(sent).toHaveLength(2)
  })

  it("is waited for by whoever waits until everything is told", async () => {
    const { begin, say, answer, callAll, delivery, log } = deliveryAt(10)
    begin()
    say("first")
    answer()
    say("second")
    const told = Effect.runPromise(Effect.as(delivery.done, "told"))
    callAll()
    answer()
    expect(await told).toBe("told")
    expect(log.lastSeq).toBe(log.written)
  })
})

describe("the window", () => {
  it("is nothing up to three tenths of a loop's time, twenty milliseconds from seven tenths on, and grows between", () => {
    expect([0, 0.3, 0.6, 0.9, 1].map(windowAt)).toEqual([0, 0, 20, 40, 40])
  })
})
