import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { frame } from "../../src/protocol/frames.ts"
import { nodeBubble, runBubble } from "../../src/protocol/streaming.ts"
import { FrameLog } from "../../src/session/FrameLog.ts"
import { Ref } from "../../src/session/Ref.ts"
import { isShort, wholeFrames } from "../support/shortFrames.ts"

const address = { flowId: "f".repeat(32), chatId: "chat" }
const r1 = runBubble(address, "r1")
const r2 = runBubble(address, "r2")

const makeLog = (epoch = "e1") =>
  new FrameLog({
    epoch,
    address,
    onDirty: () => undefined,
    retention: { maxFrames: 20_000, maxChars: 1024 * 1024 }
  })

/** A log in which each text came in a turn of its own. */
const logOf = (texts: ReadonlyArray<string>, epoch = "e1") => {
  const log = makeLog(epoch)
  log.beginRun("r1", "node-1")
  for (const text of texts) say(log, text)
  return log
}

const say = (log: FrameLog, text: string) => {
  log.delta("content", text, r1)
  log.flush()
}

/** One socket's place in a log. */
class Reader {
  private position: number
  private readonly ref: Ref | null
  readonly texts: Array<string> = []

  constructor(ref: Ref | null, from = 0) {
    this.ref = ref
    this.position = from
  }

  read(log: FrameLog): ReadonlyArray<string> {
    const before = this.texts.length
    for (;;) {
      const next = log.next(this.position, this.ref)
      if (next === null) return this.texts.slice(before)
      this.texts.push(next.json)
      this.position = next.seq
    }
  }
}

interface Seen {
  readonly message: unknown
  readonly ref?: number
}

/** What a client makes of the frames, without what is ours alone. */
const understood = (texts: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const whole = wholeFrames<Seen>()
  return texts.map((text) => {
    const { ref: _, ...rest } = whole(text)
    return rest
  })
}

const bytesOf = (text: string | undefined) => Buffer.byteLength(text ?? "")

describe("text for a reader of short frames", () => {
  it("comes whole once, bearing the ref, then as ref, number and text", () => {
    const log = logOf(["one", "two", "three"])
    const [first, ...rest] = new Reader(new Ref(1)).read(log)
    expect(first).toBe(log.next(0)?.json.replace(/}$/, ',"ref":1}'))
    expect(rest).toEqual(['[1,2,"two"]', '[1,3,"three"]'])
  })

  it("costs no more than a few bytes beside itself", () => {
    const log = logOf(Array.from({ length: 2000 }, (_, i) => `word${i % 10} `))
    const reader = new Reader(new Ref(1), 1990)
    expect(reader.read(log).slice(1).map(bytesOf)).toEqual(Array.from({ length: 9 }, () => 17))
  })

  it("is whole again in another bubble, of another kind and in another run", () => {
    const log = makeLog()
    const node = nodeBubble(address, "r1", { uniqueId: "u", nodeId: "n", name: "N" }, "output")
    const says = (kind: "content" | "reasoning_content", bubble: typeof r1) => {
      for (const text of ["a", "b"]) {
        log.delta(kind, text, bubble)
        log.flush()
      }
    }
    says("reasoning_content", r1)
    says("content", r1)
    says("content", node)
    says("reasoning_content", node)
    says("content", r2)
    const texts = new Reader(new Ref(7)).read(log)
    expect(texts.map(isShort)).toEqual([0, 1, 2, 3, 4].flatMap(() => [false, true]))
    expect(texts[1]).toBe('[7,2,"b"]')
    expect(understood(texts)).toEqual(understood(new Reader(null).read(log)))
  })

  it("goes on short after a frame that is none of it", () => {
    const log = logOf(["one"])
    log.append(frame(address, "start", "tool"))
    say(log, "two")
    expect(new Reader(new Ref(1)).read(log).map(isShort)).toEqual([false, false, true])
  })

  it("is merged where the reader is far behind, and says from which number on", () => {
    const log = logOf(["one"])
    const reader = new Reader(new Ref(1))
    reader.read(log)
    for (let i = 2; i <= 200; i++) say(log, "x")
    expect(reader.read(log)).toEqual([`[1,200,"${"x".repeat(199)}",2]`])
  })

  it("may be merged in the whole frame that bears the ref too", () => {
    const log = logOf(Array.from({ length: 100 }, () => "x"))
    const reader = new Reader(new Ref(1), 10)
    expect(JSON.parse(reader.read(log)[0] ?? "")).toMatchObject({ first_seq: 11, seq: 100, ref: 1 })
    say(log, "y")
    expect(reader.read(log)).toEqual(['[1,101,"y"]'])
  })

  it("is no other one for readers of whole frames", () => {
    const texts = ["one", "two", "three"]
    const alone = new Reader(null).read(logOf(texts))
    const log = logOf(texts)
    new Reader(new Ref(1)).read(log)
    expect(new Reader(null).read(log)).toEqual(alone)
  })

  it("is read as it is now where a log was read anew, not as it was", () => {
    const log = logOf(["one", "two"])
    const ref = new Ref(1)
    new Reader(ref).read(log)
    log.replace("e2", 2, [logOf(["eins", "zwei"], "e2").batchAfter(0).text])
    const [first, ...rest] = new Reader(ref).read(log)
    expect(first).toContain('"content":"eins"')
    expect(rest).toEqual(['[1,2,"zwei"]'])
  })

  it("is short on a node that has the log from another", () => {
    const log = makeLog()
    const reader = new Reader(new Ref(1))
    const owner = logOf([])
    for (const [i, text] of ["one", "two", "three"].entries()) {
      say(owner, text)
      log.ingest(owner.batchAfter(i).text)
      reader.read(log)
    }
    expect(reader.texts.map(isShort)).toEqual([false, true, true])
  })

  const anyText = fc.oneof(
    fc.string({ minLength: 1, maxLength: 8, unit: "binary" }),
    fc.constantFrom('"', "\\", "\n", "\u0000", "\u2028", "🎈", "\ud83c", "[1,2", "]", "汉")
  )

  it("is the same, whatever it is and whenever it is read", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ text: anyText, thinks: fc.boolean(), reads: fc.boolean() }), { maxLength: 150 }),
        (steps) => {
          const log = makeLog()
          const short = new Reader(new Ref(1))
          const whole = new Reader(null)
          for (const { text, thinks, reads } of steps) {
            log.delta(thinks ? "reasoning_content" : "content", text, r1)
            log.flush()
            if (!reads) continue
            short.read(log)
            whole.read(log)
          }
          short.read(log)
          whole.read(log)
          expect(understood(short.texts)).toEqual(understood(whole.texts))
        }
      )
    )
  })
})
