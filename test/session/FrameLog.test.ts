import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { frame } from "../../src/protocol/frames.ts"
import { runBubble } from "../../src/protocol/streaming.ts"
import { FrameLog } from "../../src/session/FrameLog.ts"

const address = { flowId: "f".repeat(32), chatId: "chat" }

const r1 = runBubble(address, "r1")
const r2 = runBubble(address, "r2")

const makeLog = (retention = { maxFrames: 20_000, maxChars: 1024 * 1024 }, epoch = "e1") =>
  new FrameLog({
    epoch,
    address,
    onDirty: () => undefined,
    retention
  })

interface Seen {
  readonly seq: number
  readonly first_seq?: number
  readonly type: string
  readonly message: unknown
  readonly run_id?: string
}

const readAll = (log: FrameLog, from: number): ReadonlyArray<Seen> => {
  const seen: Array<Seen> = []
  let position = from
  for (;;) {
    const next = log.next(position)
    if (next === null) return seen
    seen.push(JSON.parse(next.json))
    position = next.seq
  }
}

const contentOf = (frames: ReadonlyArray<Seen>): string =>
  frames
    .map(({ message }) =>
      typeof message === "object" && message !== null && "content" in message ? String(message.content) : ""
    )
    .join("")

describe("FrameLog", () => {
  it("numbers frames 1, 2, 3 and serialises them as they will be sent", () => {
    const log = makeLog()
    log.append(frame(address, "begin", "processing"))
    log.append(frame(address, "close", "processing"))
    expect(readAll(log, 0).map(({ seq, type }) => [seq, type])).toEqual([
      [1, "begin"],
      [2, "close"]
    ])
  })

  it("makes one frame of the deltas of one turn, and another of the next", () => {
    const log = makeLog()
    log.delta("content", "a", r1)
    log.delta("content", "b", r1)
    log.flush()
    log.delta("content", "c", r1)
    log.flush()
    expect(readAll(log, 0).map(({ seq, message }) => [seq, message])).toEqual([
      [1, { content: "ab", reasoning_content: "" }],
      [2, { content: "c", reasoning_content: "" }]
    ])
  })

  it("tells 100,000 tokens of the past in three frames that are hardly longer than their text", () => {
    const log = makeLog()
    log.beginRun("r1", "node-1")
    let text = ""
    for (let i = 0; i < 100_000; i++) {
      const token = i % 20 === 0 ? ".\n" : i % 7 === 0 ? " é" : ` ${"word".slice(0, 1 + (i % 4))}`
      text += token
      log.delta("content", token, r1)
      log.flush()
    }
    const sizes: Array<number> = []
    for (let next = log.next(0); next !== null; next = log.next(next.seq)) {
      sizes.push(Buffer.byteLength(next.json))
    }
    expect(sizes.length).toBeLessThanOrEqual(3)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1.1 * Buffer.byteLength(text))
    const frames = readAll(log, 0)
    expect(contentOf(frames)).toBe(text)
    expect(frames[0]).toMatchObject({ first_seq: 1 })
    expect(frames.at(-1)?.seq).toBe(100_000)
  })

  it("writes a delta exactly as it would write the whole frame", () => {
    const log = makeLog()
    const text = 'quote " backslash \\ newline \n emoji 🎈 null \u0000 line \u2028'
    log.delta("reasoning_content", text, r1)
    log.flush()
    const whole = frame(address, "stream", "processing", {
      message: { content: "", reasoning_content: text },
      run_id: "r1",
      seq: 1
    })
    expect(log.next(0)?.json).toBe(JSON.stringify(whole))
  })

  it("knows how long a frame is on the wire, whatever it says and wherever", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary" }),
        fc.nat(90),
        (chatId, text, times) => {
          const log = makeLog()
          const bubble = runBubble({ ...address, chatId }, "r1")
          for (let i = 0; i <= times; i++) {
            log.delta("content", `${text}.`, bubble)
            log.flush()
          }
          for (const seq of [0, times]) {
            const reading = log.next(seq)
            expect(reading?.bytes).toBe(Buffer.byteLength(reading?.json ?? ""))
          }
        }
      )
    )
  })

  it("keeps reasoning, text and events in their order", () => {
    const log = makeLog()
    log.delta("reasoning_content", "think", r1)
    log.delta("content", "say", r1)
    log.append(frame(address, "start", "tool"))
    log.delta("content", "more", r1)
    log.flush()
    expect(readAll(log, 0).map(({ type, message }) => (type === "stream" ? message : type))).toEqual([
      { content: "", reasoning_content: "think" },
      { content: "say", reasoning_content: "" },
      "start",
      { content: "more", reasoning_content: "" }
    ])
  })

  it("merges what a reader is far behind on, and says which numbers the frame covers", () => {
    const log = makeLog()
    for (let i = 0; i < 200; i++) {
      log.delta("content", `${i},`, r1)
      log.flush()
    }
    const [only, ...rest] = readAll(log, 50)
    expect(rest).toEqual([])
    expect(only).toMatchObject({ first_seq: 51, seq: 200 })
    expect(contentOf(only === undefined ? [] : [only])).toBe(
      Array.from({ length: 150 }, (_, i) => `${i + 50},`).join("")
    )
  })

  it("catches up on a hundred thousand tokens in three frames", () => {
    const log = makeLog()
    log.beginRun("r1", "node-1")
    for (let i = 0; i < 100_000; i++) {
      log.delta("content", "tok ", r1)
      log.flush()
    }
    const frames = readAll(log, 0)
    expect(frames.length).toBeLessThanOrEqual(3)
    expect(contentOf(frames)).toBe("tok ".repeat(100_000))
  })

  it("shows a newcomer the run in progress from its first frame, and nothing of an ended one", () => {
    const log = makeLog()
    log.beginRun("r1", "node-1")
    log.append(frame(address, "begin", "processing", { run_id: "r1" }))
    log.append(frame(address, "close", "processing", { run_id: "r1" }))
    log.endRun()
    expect(readAll(log, log.joinPoint)).toEqual([])
    log.beginRun("r1", "node-1")
    log.append(frame(address, "begin", "processing", { run_id: "r2" }))
    log.delta("content", "so far", r2)
    log.flush()
    expect(readAll(log, log.joinPoint).map(({ seq, run_id }) => [seq, run_id])).toEqual([
      [3, "r2"],
      [4, "r2"]
    ])
  })

  it("drops the oldest frames of ended runs beyond what it may keep, and knows it", () => {
    const log = makeLog({ maxFrames: 3, maxChars: 1_000_000 })
    log.beginRun("r1", "node-1")
    for (let i = 0; i < 5; i++) log.append(frame(address, "info", "system"))
    expect(log.has(0)).toBe(true)
    log.endRun()
    expect(log.has(1)).toBe(false)
    expect(log.has(2)).toBe(true)
    expect(log.has(6)).toBe(false)
    expect(readAll(log, 2).map(({ seq }) => seq)).toEqual([3, 4, 5])
  })

  it("lets an attached reader finish an ended run that is longer than what it keeps", () => {
    const log = makeLog({ maxFrames: 3, maxChars: 1_000_000 })
    let position = 0
    log.subscribe({
      wake: () => undefined,
      position: () => position,
      replaced: () => undefined,
      notice: () => undefined
    })
    log.beginRun("r1", "node-1")
    for (let i = 0; i < 10; i++) log.append(frame(address, "info", "system"))
    log.endRun()
    log.flush()
    expect(readAll(log, position)).toHaveLength(10)
    position = 10
    log.flush()
    expect(log.has(6)).toBe(false)
  })

  it("read anew lets a reader go on who has what is kept of it; of another epoch, or with a hole, it says so", () => {
    const writer = makeLog()
    writer.beginRun("r1", "node-1")
    for (const text of ["one ", "two ", "three"]) {
      writer.delta("content", text, r1)
      writer.flush()
    }
    const { text: all } = writer.batchAfter(0)
    const told = (epoch: string, position: number, seq: number, batches: ReadonlyArray<string>) => {
      const log = makeLog()
      const said: Array<string> = []
      log.ingest(all)
      log.subscribe({
        wake: () => said.push("more"),
        position: () => position,
        replaced: () => said.push("replaced")
      })
      log.replace(epoch, seq, batches)
      return said
    }
    expect(told("e1", 1, 3, [all])).toEqual(["more"])
    expect(told("other", 1, 3, [])).toEqual(["replaced"])
    expect(told("e1", 1, 3, [])).toEqual(["replaced"])
    expect(told("e1", 3, 2, [])).toEqual(["replaced"])
  })

  it("of another epoch gives those who were there every frame, where it has the first one; else as to a newcomer", () => {
    const writer = makeLog()
    writer.beginRun("r1", "node-1")
    writer.delta("content", "an answer", r1)
    writer.append(frame(address, "close", "processing", { run_id: "r1" }))
    writer.endRun()
    writer.flush()
    const { text: ended } = writer.batchAfter(0)
    const startOf = (known: "nothing" | "empty" | "some", batch: string) => {
      const log = makeLog(undefined, "e0")
      if (known === "some") log.append(frame(address, "info", "system"))
      if (known === "empty") log.replace("e0", 0, [])
      const starts: Array<number> = []
      log.subscribe({
        wake: () => undefined,
        position: () => log.lastSeq,
        replaced: (position) => starts.push(position)
      })
      log.replace("e1", 2, [batch])
      return starts
    }
    expect(startOf("some", ended)).toEqual([0])
    expect(startOf("empty", ended)).toEqual([0])
    expect(startOf("nothing", ended)).toEqual([2])
    expect(startOf("some", writer.batchAfter(1).text)).toEqual([2])
  })

  it("of another epoch says which run was in progress, where nothing there tells its end", () => {
    const writer = makeLog()
    writer.beginRun("r1", "node-1")
    writer.append(frame(address, "begin", "processing", { run_id: "r1" }))
    writer.flush()
    const { text: running } = writer.batchAfter(0)
    writer.append(frame(address, "close", "processing", { run_id: "r1" }))
    writer.endRun()
    writer.flush()
    const { text: ended } = writer.batchAfter(0)
    const untoldBy = (seq: number, batches: ReadonlyArray<string>) => {
      const log = makeLog(undefined, "e0")
      log.beginRun("r1", "node-1")
      log.append(frame(address, "begin", "processing", { run_id: "r1" }))
      const untold: Array<string | null> = []
      log.subscribe({
        wake: () => undefined,
        position: () => log.lastSeq,
        replaced: (_, run) => untold.push(run)
      })
      log.replace("e1", seq, batches)
      return untold
    }
    expect(untoldBy(0, [])).toEqual(["r1"])
    expect(untoldBy(5, [ended])).toEqual(["r1"])
    expect(untoldBy(2, [ended])).toEqual([null])
    expect(untoldBy(1, [running])).toEqual([null])
  })

  type Command =
    | { readonly kind: "content" | "reasoning_content"; readonly text: string }
    | { readonly kind: "frame" | "tick" }

  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.record({
      kind: fc.constantFrom("content" as const, "reasoning_content" as const),
      text: fc.string({ minLength: 1, maxLength: 5, unit: "grapheme" })
    }),
    fc.record({ kind: fc.constantFrom("frame" as const, "tick" as const) })
  )

  it("gives every reader, wherever it starts and whenever it reads, the same text without gap or repeat", () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 300 }),
        fc.array(fc.nat({ max: 20 }), { minLength: 1 }),
        (commands, pauses) => {
          const log = makeLog()
          let live = 0
          const liveSeen: Array<Seen> = []
          let text = ""
          let countdown = 0
          for (const [i, step] of commands.entries()) {
            if (step.kind === "frame") log.append(frame(address, "info", "system"))
            else if (!("text" in step)) log.flush()
            else {
              log.delta(step.kind, step.text, r1)
              if (step.kind === "content") text += step.text
            }
            if (countdown-- > 0) continue
            countdown = pauses[i % pauses.length] ?? 0
            for (const seen of readAll(log, live)) {
              liveSeen.push(seen)
              live = seen.seq
            }
          }
          log.flush()
          liveSeen.push(...readAll(log, live))
          for (const frames of [liveSeen, readAll(log, 0)]) {
            expect(contentOf(frames)).toBe(text)
            let expected = 1
            for (const seen of frames) {
              expect(seen.first_seq ?? seen.seq).toBe(expected)
              expected = seen.seq + 1
            }
            expect(expected).toBe(log.lastSeq + 1)
          }
        }
      )
    )
  })
})
