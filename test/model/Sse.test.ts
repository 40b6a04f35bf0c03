import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import type { TokenSink } from "../../src/model/LanguageModel.ts"
import { answerFold } from "../../src/model/OpenAi/Answer.ts"
import { sseReader } from "../../src/model/OpenAi/Sse.ts"

const read = (parts: ReadonlyArray<Buffer>, limit = 1024 * 1024) => {
  const events: Array<string> = []
  const reader = sseReader((data) => events.push(data), limit)
  const fits = parts.map((part) => reader.feed(part)).every((fit) => fit)
  return { events, fits, rest: reader.end() }
}

const bytes = (text: string) => Buffer.from(text)

/** The same bytes, cut where the numbers say. */
const cutAt = (whole: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const marks = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b)
  return [...marks, whole.length].map((to, at) => whole.subarray(at === 0 ? 0 : (marks[at - 1] ?? 0), to))
}

const cuts = FastCheck.array(FastCheck.nat(), { maxLength: 40 })

describe("server-sent events", () => {
  it("give their data, whatever the line ends, comments and other fields", () => {
    const stream =
      '\ufeff: hello\nevent: message\nid: 7\ndata: {"a":1}\n\ndata:one\r\ndata:  two\r\n\r\nretry: 5\rdata\r\rdata: [DONE]\n\n'
    expect(read([bytes(stream)])).toEqual({
      events: ['{"a":1}', "one\n two", "", "[DONE]"],
      fits: true,
      rest: null
    })
  })

  it("are the same however the bytes are cut", () => {
    const line = FastCheck.oneof(
      FastCheck.constantFrom("", ": comment", "event: x", "data", "data:", "database: no", "data: [DONE]"),
      FastCheck.string({ unit: "grapheme" }).map((text) => `data: ${text.replace(/[\r\n]/g, " ")}`)
    )
    const end = FastCheck.constantFrom("\n", "\r\n", "\r")
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.tuple(line, end)), cuts, (lines, where) => {
        const whole = bytes(lines.map(([text, mark]) => text + mark).join(""))
        expect(read(cutAt(whole, where))).toEqual(read([whole]))
      }),
      { numRuns: 500 }
    )
  })

  it("hand over at the end what lacks its empty line", () => {
    expect(read([bytes("data: a\n\ndata: [DONE]")])).toEqual({ events: ["a"], fits: true, rest: "[DONE]" })
  })

  it("are refused when one grows above the limit, in one line or in many", () => {
    expect(read([bytes(`data: ${"x".repeat(2_000)}`)], 1_000).fits).toBe(false)
    expect(
      read(
        Array.from({ length: 200 }, () => bytes("data: 1234567890\n")),
        1_000
      ).fits
    ).toBe(false)
    expect(
      read(
        Array.from({ length: 200 }, () => bytes("data: 1234567890\n\n")),
        1_000
      ).fits
    ).toBe(true)
  })
})

const fold = (chunks: ReadonlyArray<unknown>, maxChars = 1_000) => {
  const streamed: Array<string> = []
  const sink: TokenSink = {
    text: (delta) => streamed.push(delta),
    reasoning: (delta) => streamed.push(`(${delta})`)
  }
  const folded = answerFold(sink, maxChars)
  const faults = chunks.map((chunk) => folded.accept(chunk)).filter((fault) => fault !== null)
  return { streamed, faults, answer: folded.answer() }
}

const delta = (value: unknown, finish: string | null = null) => ({
  choices: [{ index: 0, delta: value, finish_reason: finish }]
})

const piece = (value: unknown) => delta({ tool_calls: [value] })

describe("the chunks of an answer", () => {
  it("give text and reasoning under each name that servers use", () => {
    const { streamed, answer } = fold([
      delta({ role: "assistant", content: "" }),
      delta({ reasoning_content: "a" }),
      delta({ reasoning: "b" }),
      delta({ content: null, reasoning_content: null }),
      delta({ content: "c" }),
      delta({ content: [{ type: "text", text: "d" }] }),
      delta({}, "stop"),
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } }
    ])
    expect(streamed).toEqual(["(a)", "(b)", "c", "d"])
    expect(answer).toEqual({
      text: "cd",
      reasoning: "ab",
      toolCalls: [],
      usage: { promptTokens: 3, completionTokens: 4 },
      finishReason: "stop"
    })
  })

  it("put tool calls together whose pieces are interleaved", () => {
    const { answer } = fold([
      piece({ index: 0, id: "a", function: { name: "one", arguments: "" } }),
      piece({ index: 1, id: "b", function: { name: "two", arguments: '{"x"' } }),
      piece({ index: 0, function: { arguments: "{}" } }),
      piece({ index: 1, function: { arguments: ":1}" } })
    ])
    expect(answer.toolCalls).toMatchObject([
      { id: "a", name: "one", arguments: "{}" },
      { id: "b", name: "two", arguments: '{"x":1}' }
    ])
  })

  it("also where ids are late or missing, names repeat, the index is always 0 or absent, or arguments are an object", () => {
    const late = fold([
      piece({ index: 0, function: { name: "one", arguments: "{" } }),
      piece({ index: 0, id: "a", function: { name: "one", arguments: "}" } })
    ])
    expect(late.answer.toolCalls).toMatchObject([{ id: "a", name: "one", arguments: "{}" }])
    const zeros = fold([
      piece({ index: 0, id: "a", function: { name: "one", arguments: "{}" } }),
      piece({ index: 0, id: "b", function: { name: "two", arguments: "{}" } })
    ])
    expect(zeros.answer.toolCalls).toMatchObject([{ id: "a" }, { id: "b" }])
    const without = fold([
      piece({ id: "a", function: { name: "one", arguments: "{" } }),
      piece({ function: { arguments: "}" } }),
      piece({ id: "b", function: { name: "two", arguments: { x: 1 } } })
    ])
    expect(without.answer.toolCalls).toMatchObject([
      { id: "a", arguments: "{}" },
      { id: "b", arguments: '{"x":1}' }
    ])
    const nameless = fold([piece({ index: 0, function: { name: "one", arguments: "{}" } })])
    expect(nameless.answer.toolCalls).toMatchObject([{ id: "", name: "one" }])
  })

  it("pass over shapes that mean nothing", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (value) => {
        fold([value, { choices: value }, { choices: [value] }, delta(value), piece(value), { usage: value }])
      })
    )
  })

  it("end with the error that a server reports inside its stream", () => {
    const { faults } = fold([delta({ content: "a" }), { error: { message: "overloaded" } }])
    expect(faults).toEqual([{ fault: "upstream", error: { message: "overloaded" } }])
  })

  it("are bounded together: text, reasoning and arguments", () => {
    const big = "x".repeat(400)
    const { faults } = fold([
      delta({ content: big }),
      delta({ reasoning: big }),
      piece({ index: 0, function: { name: "one", arguments: big } })
    ])
    expect(faults).toEqual([{ fault: "too long" }])
  })

  it("are the same deltas however the bytes of the stream are cut", () => {
    const chunks = [
      delta({ reasoning_content: "想一想 🤔" }),
      delta({ content: "Grüße, 世界 🌍" }),
      piece({ index: 0, id: "a", function: { name: "one", arguments: '{"q":"é' } }),
      piece({ index: 0, function: { arguments: '"}' } }),
      delta({}, "tool_calls")
    ]
    const whole = bytes(
      `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("")}data: [DONE]\r\n\r\n`
    )
    const expected = fold(chunks)
    FastCheck.assert(
      FastCheck.property(cuts, (where) => {
        const { events } = read(cutAt(whole, where))
        expect(events.at(-1)).toBe("[DONE]")
        const parsed = events.slice(0, -1).map((event): unknown => JSON.parse(event))
        expect(fold(parsed)).toEqual(expected)
      }),
      { numRuns: 300 }
    )
  })
})
