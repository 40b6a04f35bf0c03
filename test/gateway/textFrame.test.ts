import { expect, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { textFrame } from "../../src/gateway/textFrame.ts"

/** Reads one frame as RFC 6455 has it, 5.2: its first byte, its payload, and what follows. */
const read = (bytes: Buffer) => {
  const short = bytes[1] ?? 0
  const [at, length] =
    short < 126
      ? [2, short]
      : short === 126
        ? [4, bytes.readUInt16BE(2)]
        : [10, Number(bytes.readBigUInt64BE(2))]
  return {
    first: bytes[0],
    text: bytes.subarray(at, at + length).toString("utf8"),
    rest: bytes.length - at - length
  }
}

const whole = (text: string) => ({ first: 0x81, text, rest: 0 })

it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000, 5_000_000])(
  "a text of %i bytes is one frame",
  (length) => {
    const text = "a".repeat(length)
    expect(read(Buffer.from(textFrame(text), "latin1"))).toEqual(whole(text))
  }
)

it.each(["é", "你好", "😀", "a\u0000b", "\u007f\u0080\u00ff"])("%j is written as UTF-8", (text) => {
  for (const times of [1, 30, 70, 20_000]) {
    const long = text.repeat(times)
    expect(read(Buffer.from(textFrame(long), "latin1"))).toEqual(whole(long))
  }
})

it("any text is itself again, half a character aside", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.string({ unit: "binary", maxLength: 300 }), (text) => {
      expect(read(Buffer.from(textFrame(text), "latin1"))).toEqual(whole(Buffer.from(text).toString("utf8")))
    })
  )
})
