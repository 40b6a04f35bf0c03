/** What a streamed answer's events become, however they come together. */
import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { answerFold } from "../../src/model/OpenAi/Answer.ts"
import { bodyReader } from "../../src/model/OpenAi/body.ts"

const event = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "a", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const said = (content: string) => event({ content })

const streamed = (): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), {
    statusCode: 200,
    headers: { "content-type": "text/event-stream" }
  })

const reading = (maxChars = 1000) => {
  const heard: Array<string> = []
  const fold = answerFold(
    { text: (text) => heard.push(`t ${text}`), reasoning: (text) => heard.push(`r ${text}`) },
    maxChars
  )
  const reader = bodyReader(streamed(), fold)
  const feed = (text: string) => reader.feed(Buffer.from(text), 0, Buffer.byteLength(text))
  return { heard, fold, reader, feed }
}

describe("events of one read", () => {
  it("that say text alone are told as one, once the read is over", () => {
    const { heard, fold, reader, feed } = reading()
    for (const word of ["one ", "two ", "three ", "four "]) feed(said(word))
    expect(heard).toEqual(["t one "])
    expect(reader.flush()).toBe("more")
    expect(heard).toEqual(["t one ", "t two three four "])
    expect(reader.flush()).toBe("more")
    expect(heard).toHaveLength(2)
    expect(fold.answer().text).toBe("one two three four ")
  })

  it("are told in their order, whatever stands between them", () => {
    const { heard, reader, feed } = reading()
    const parts = [
      said("a"),
      said("b"),
      said("c"),
      event({ reasoning_content: "why" }),
      said("d"),
      said('"e"')
    ]
    feed(parts.join(""))
    reader.flush()
    expect(heard.join("|")).toBe('t a|t bc|r why|t d|t "e"')
  })

  it("that end the answer come after its text, and what follows them is not read", () => {
    const { heard, fold, reader, feed } = reading()
    const end = `${event({}, "stop")}data: [DONE]\n\n${said("beyond")}`
    expect(feed(`${said("a")}${said("b")}${said("c")}${end}`)).toBe("done")
    expect(heard).toEqual(["t a", "t bc"])
    expect(fold.finished()).toBe(true)
    expect(reader.end(true)).toBe(null)
    expect(heard).toHaveLength(2)
  })

  it("are told where the body breaks off behind them", () => {
    const { heard, reader, feed } = reading()
    feed(`${said("a")}${said("b")}${said("c")}`)
    expect(reader.end(false)).toEqual({ _tag: "Cut" })
    expect(heard).toEqual(["t a", "t bc"])
  })

  it("that are too much together are refused", () => {
    const { reader, feed } = reading(4)
    expect(feed(`${said("ab")}${said("c")}${said("def")}`)).toBe("more")
    expect(reader.flush()).toMatchObject({ _tag: "Malformed" })
    expect(feed(said("g"))).toMatchObject({ _tag: "Malformed" })
  })

  it("are the same wherever the bytes are cut, and however they are framed", () => {
    const words = ["one ", "", "你好 ", "😀", '"q"', "line\n", "two "]
    const framings = [
      (all: string) => all,
      (all: string) => all.replaceAll("\n\n", "\r\n\r\n"),
      (all: string) => all.replaceAll("data: ", ": said\ndata:")
    ]
    for (const framed of framings) {
      const body = Buffer.from(framed(`${words.map(said).join("")}${event({}, "stop")}data: [DONE]\n\n`))
      for (let cut = 0; cut <= body.length; cut++) {
        const { fold, reader } = reading()
        const verdict = reader.feed(body, 0, cut)
        reader.flush()
        expect(verdict === "done" ? verdict : reader.feed(body, cut, body.length)).toBe("done")
        expect(fold.answer()).toMatchObject({ text: words.join(""), finishReason: "stop" })
      }
    }
  })
})
