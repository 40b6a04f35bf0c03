import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { Alike } from "../../src/model/OpenAi/Alike.ts"

/** Events as servers write them: where the text goes, and what else is there. */
const shapes: Readonly<Record<string, (content: string) => string>> = {
  OpenAI: (content) =>
    `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":${content}},"logprobs":null,"finish_reason":null}],"usage":null}`,
  "vLLM, with its role": (content) =>
    `{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":${content},"tool_calls":null}}]}`,
  "Python's json.dumps": (content) =>
    `{"id": "c1", "choices": [{"delta": {"content": ${content}}, "finish_reason": null, "index": 0}]}`,
  "a model called like what it says": (content) =>
    `{"choices":[{"index":0,"delta":{"content":${content}}}],"model":"first"}`
}

const textIn = (json: string): unknown => JSON.parse(json).choices[0].delta.content

const taught = (json: string): Alike => {
  const alike = new Alike()
  alike.learn(json, JSON.parse(json))
  return alike
}

for (const [name, eventOf] of Object.entries(shapes)) {
  describe(`events of ${name}`, () => {
    const alike = new Alike()
    for (const said of ["first", "second"]) {
      const json = eventOf(JSON.stringify(said))
      alike.learn(json, JSON.parse(json))
    }

    it("are read without parsing them, once one was parsed", () => {
      for (const text of ["token ", "", "你好", "é😀", "{}[]:,"]) {
        expect(alike.textOf(eventOf(JSON.stringify(text)))).toBe(text)
      }
    })

    it("are read right, or left to the parser, whatever they say", () => {
      FastCheck.assert(
        FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
          const json = eventOf(JSON.stringify(text))
          const read = alike.textOf(json)
          if (read !== null) expect(read).toBe(textIn(json))
        })
      )
    })

    /** What is read of these bytes without making the events strings, and how far. */
    const taken = (bytes: Buffer, from = 0, to = bytes.length) => {
      const said: Array<string> = []
      const end = alike.take(bytes, from, to, (text) => said.push(text))
      return { said, end }
    }
    const asSent = (text: string) => Buffer.from(`data: ${eventOf(JSON.stringify(text))}\n\n`)

    it("are read where they lie in a body, one after the other", () => {
      const texts = ["token ", "", "你好", "é😀", "{}[]:,", "\u007f\u0085"]
      const bytes = Buffer.concat(texts.map(asSent))
      expect(taken(bytes)).toEqual({ said: texts, end: bytes.length })
      // Up to the one that is not all there.
      const first = asSent("token ").length
      for (let cut = 0; cut < first; cut++) expect(taken(bytes, 0, cut)).toEqual({ said: [], end: 0 })
      expect(taken(bytes, first, bytes.length - 1).said).toEqual(texts.slice(1, -1))
    })

    it("are read right there, or left where they are, whatever they say", () => {
      const text = FastCheck.string({ unit: "binary" })
      FastCheck.assert(
        FastCheck.property(FastCheck.array(text, { maxLength: 3 }), (texts) => {
          const events = texts.map(asSent)
          const { said, end } = taken(Buffer.concat(events))
          const whole = said.map((_, i) => events[i]?.length ?? 0).reduce((a, b) => a + b, 0)
          expect(end).toBe(whole)
          expect(said).toEqual(texts.slice(0, said.length).map((one) => textIn(eventOf(JSON.stringify(one)))))
        })
      )
    })

    it("are left to the parser when they are framed in another way", () => {
      const json = eventOf('"word"')
      for (const framed of [
        `data:${json}\n\n`,
        `data: ${json}\r\n\r\n`,
        `event: a\ndata: ${json}\n\n`,
        json
      ]) {
        expect(taken(Buffer.from(framed))).toEqual({ said: [], end: 0 })
      }
    })

    it("are left to the parser when they escape, are cut short, or are none", () => {
      for (const content of ['"a\\nb"', '"\\u4f60"', '"\\""', "null", "1", '"a"]', '"a","content":"b"']) {
        expect(alike.textOf(eventOf(content))).toBeNull()
        expect(taken(Buffer.from(`data: ${eventOf(content)}\n\n`))).toEqual({ said: [], end: 0 })
      }
      const json = eventOf('"word"')
      for (let length = 0; length < json.length; length++) {
        expect(alike.textOf(json.slice(0, length))).toBeNull()
      }
    })
  })
}

const event = (choice: object, rest: object = {}) =>
  JSON.stringify({ id: "c1", choices: [{ index: 0, finish_reason: null, ...choice }], ...rest })

describe("nothing is learned from an event that says more than text", () => {
  for (const [what, json] of Object.entries({
    reasoning: event({ delta: { content: "a", reasoning_content: "b" } }),
    "a tool call": event({ delta: { content: "a", tool_calls: [{ index: 0 }] } }),
    "the end": event({ delta: { content: "a" }, finish_reason: "stop" }),
    usage: event({ delta: { content: "a" } }, { usage: { prompt_tokens: 1 } }),
    "a list of parts": event({ delta: { content: [{ type: "text", text: "a" }] } }),
    "no text": event({ delta: { content: "" } }),
    "two choices": '{"choices":[{"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}'
  })) {
    it(what, () => {
      expect(taught(json).textOf(json)).toBeNull()
    })
  }
})

it("another event than the one learned from is left to the parser", () => {
  const alike = taught(event({ delta: { content: "a" } }))
  for (const json of [
    event({ delta: { content: "a" }, finish_reason: "stop" }),
    event({ delta: { content: "a", tool_calls: [{ index: 0 }] } }),
    event({ delta: { content: "a" } }, { error: { message: "no" } }),
    '{"id":"c1","choices":[]}',
    "[DONE]",
    ""
  ]) {
    expect(alike.textOf(json)).toBeNull()
  }
})

it("a server whose events all differ is not studied for ever", () => {
  const alike = new Alike()
  const different = (n: number) => event({ delta: { content: "a" } }, { n })
  for (let n = 0; n < 8; n++) alike.learn(different(n), JSON.parse(different(n)))
  alike.learn(different(9), JSON.parse(different(9)))
  expect(alike.textOf(different(9))).toBeNull()
  expect(alike.textOf(different(7))).toBe("a")
})
