import { expect, it } from "@effect/vitest"
import { runBubble } from "../../src/protocol/streaming.ts"
import { KeptFrames, lastOf } from "../../src/session/KeptFrames.ts"

const bubble = runBubble({ flowId: "f".repeat(32), chatId: "c".repeat(32) }, "r".repeat(32))

const keeping = (maxFrames: number, maxChars: number) => {
  const kept = new KeptFrames({ maxFrames, maxChars })
  let seq = 0
  const next = () => {
    seq += 1
    return seq
  }
  return {
    kept,
    frames: (...texts: ReadonlyArray<string>) => {
      for (const text of texts) kept.addFrame(next(), text)
    },
    text: (...texts: ReadonlyArray<string>) => {
      for (const text of texts) kept.addDelta(next(), "content", text, bubble, true)
    },
    takeBack: (to: number) => {
      kept.forgetAfter(to)
      seq = to
    },
    trimmed: () => {
      kept.trim(seq, () => seq)
      const all = Array.from({ length: seq }, (_, before) => before)
      return {
        oldest: all.findIndex((before) => kept.follows(before)) + 1,
        last: kept.after(0).map(lastOf).at(-1) ?? null
      }
    }
  }
}

it("what is taken back is not counted: frames, and a text's last pieces", () => {
  const log = keeping(4, 1_000)
  log.frames("a")
  log.text("b", "c", "d")
  log.frames("e")
  log.takeBack(2)
  log.text("f", "g")
  expect(log.trimmed()).toEqual({ oldest: 1, last: 4 })
  log.frames("h")
  expect(log.trimmed()).toEqual({ oldest: 2, last: 5 })
})

it("the same of their characters", () => {
  const log = keeping(1_000, 10)
  log.frames("aaa")
  log.text("bb", "ccccc")
  log.takeBack(2)
  log.text("ddddd")
  expect(log.trimmed()).toEqual({ oldest: 1, last: 3 })
  log.text("e")
  expect(log.trimmed()).toEqual({ oldest: 2, last: 4 })
})

it("after a number comes what reaches beyond it, from within a text too", () => {
  const log = keeping(100, 1_000)
  log.frames("a")
  log.text("b", "c")
  log.frames("d")
  expect(log.kept.after(0).map(lastOf)).toEqual([1, 3, 4])
  expect(log.kept.after(2).map(lastOf)).toEqual([3, 4])
  expect(log.kept.after(4)).toEqual([])
  expect(keeping(1, 1).kept.after(0)).toEqual([])
})
