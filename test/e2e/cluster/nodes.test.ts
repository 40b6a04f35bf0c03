/** One session on several nodes: the same stream everywhere, and what becomes of it when its node goes. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { isClose, nameOf, streamed } from "../../support/client.ts"
import { redisServer } from "../../support/faults/redis.ts"
import { call, historyOf } from "../../support/process.ts"
import { asking, closed, disorder, hasStreamed, numbers, stage, textOf } from "./stage.ts"

const patience = { timeout: 120_000 }

describe("a session on several nodes", () => {
  it.scopedLive(
    "is one stream for every tab on every node, runs one question at a time, and stops from anywhere",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const { open, upstream } = yield* stage({ redisUrl: redis.url })
        const tabs = [yield* open(0), yield* open(1), yield* open(0), yield* open(1)]
        const [a, b, c, d] = tabs
        if (a === undefined || b === undefined || c === undefined || d === undefined) return
        yield* b.say(asking("tokens=30", "m1"))
        for (const tab of tabs) yield* closed(tab, 1)
        yield* a.say(asking("tokens=100000", "m2"))
        yield* hasStreamed(b, "w40 ")
        // Each node hears of it once, for both of its tabs.
        const channel = yield* redis.command("PUBSUB", "CHANNELS", "*:live")
        expect(yield* redis.command("PUBSUB", "NUMSUB", channel)).toBe(`${channel}\n2`)
        yield* b.say(asking("tokens=3", "m3"))
        yield* b.until(({ category }) => category === "queue")
        yield* d.say({ action: "stop" })
        for (const tab of tabs) yield* closed(tab, 3)
        const told = tabs.map(({ frames }) =>
          frames.filter(({ seq }) => seq !== undefined).map((frame) => JSON.stringify(frame))
        )
        for (const each of told) expect(each).toEqual(told[0])
        for (const { frames } of tabs) expect(disorder(frames)).toBeNull()
        const stats = yield* upstream.statsWhen(({ active }) => active === 0)
        expect(stats.closedByClient).toBe(1)
      }),
    patience
  )

  it.scopedLive(
    "is joined in the middle of an answer on another node, in few frames, and resumed there without a gap",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const { open } = yield* stage({ redisUrl: redis.url })
        const first = yield* open(0)
        yield* first.say(asking("tokens=400 delay=5", "m1"))
        yield* hasStreamed(first, "w200 ")
        const late = yield* open(1)
        const classic = yield* open(1, "")
        const place = first.frames.find(({ category }) => category === "session")?.message
        const epoch = Object.entries(
          first.frames.findLast(({ category }) => category === "session")?.message ?? {}
        ).find(([key]) => key === "epoch")?.[1]
        expect(place).toMatchObject({ recovered: false })
        yield* first.close
        const seen = numbers(first.frames).at(-1)?.[1] ?? 0
        const resumed = yield* open(1, `&native=1&last_seq=${seen}&epoch=${epoch}`)
        for (const tab of [late, classic, resumed]) yield* closed(tab, 1)
        expect(numbers(late.frames)[0]?.[0]).toBe(1)
        expect(late.frames.length).toBeLessThan(250)
        expect(disorder(late.frames)).toBeNull()
        expect(streamed(classic.frames)).toBe(streamed(late.frames))
        expect(resumed.frames[0]?.message).toMatchObject({ recovered: true, seq: seen })
        expect(numbers(resumed.frames)[0]?.[0]).toBe(seen + 1)
        expect(streamed(first.frames) + streamed(resumed.frames)).toBe(streamed(late.frames))
      }),
    patience
  )

  it.scopedLive(
    "is ended by another node when its own is killed, which then goes on with what waits",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const { open, node, flowId, token } = yield* stage({ redisUrl: redis.url })
        const killed = yield* open(0)
        const native = yield* open(1)
        const classic = yield* open(1, "")
        yield* killed.say(asking("tokens=100000", "m1"))
        yield* hasStreamed(native, "w50 ")
        yield* killed.say(asking("tokens=5", "m2"))
        yield* killed.until(({ category }) => category === "queue")
        yield* node(0).sigkill
        const patient = (client: typeof native) =>
          Effect.sync(() => client.frames.filter(isClose).length).pipe(
            Effect.repeat({ until: (count) => count >= 2, schedule: Schedule.spaced("20 millis") }),
            Effect.timeout("20 seconds")
          )
        yield* patient(native)
        yield* patient(classic)
        expect(disorder(native.frames)).toBeNull()
        const first = native.frames.findIndex(isClose)
        expect(native.frames.slice(first - 2, first + 1).map(nameOf)).toEqual([
          "end/answer",
          "end/error",
          "close/processing"
        ])
        expect(native.frames[first - 1]?.message).toMatchObject({ status_code: 13015 })
        expect(classic.frames.some(({ category }) => category === "error")).toBe(true)
        const rows = yield* historyOf(node(1), token, flowId, "c1")
        expect(rows.map(({ category, remark }) => [category, remark])).toEqual([
          ["question", ""],
          ["question", ""],
          ["answer", "break_answer"],
          ["answer", ""]
        ])
        // All that a client was shown is kept.
        expect(rows[2]?.["message"]).toBe(textOf(native, native.frames[first]?.run_id))
        yield* node(0).start
        const again = yield* open(0)
        yield* again.say(asking("tokens=2", "m3"))
        yield* closed(native, 3)
      }),
    patience
  )

  it.scopedLive(
    "is not written to by a node that was frozen for longer than its lease; its sockets go on with the rest",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const { open, node, flowId, token } = yield* stage({
          redisUrl: redis.url,
          env: { LEASE_TIME: "3" }
        })
        const frozen = yield* open(0)
        const other = yield* open(1)
        yield* frozen.say(asking("tokens=100000", "m1"))
        yield* hasStreamed(other, "w50 ")
        yield* node(0).sigstop
        yield* closed(other, 1)
        yield* other.say(asking("tokens=4", "m2"))
        yield* closed(other, 2)
        yield* node(0).sigcont
        yield* closed(frozen, 2)
        yield* frozen.say(asking("tokens=4", "m3"))
        yield* closed(frozen, 3)
        yield* closed(other, 3)
        expect(disorder(frozen.frames)).toBeNull()
        const numbered = (frames: typeof frozen.frames) =>
          frames
            .filter(({ type, seq }) => seq !== undefined && type !== "stream")
            .map((frame) => JSON.stringify(frame))
        expect(numbered(frozen.frames)).toEqual(numbered(other.frames))
        expect(streamed(frozen.frames)).toBe(streamed(other.frames))
        const rows = yield* historyOf(node(0), token, flowId, "c1")
        expect(rows.map(({ category, remark }) => [category, remark])).toEqual([
          ["question", ""],
          ["answer", "break_answer"],
          ["question", ""],
          ["answer", ""],
          ["question", ""],
          ["answer", ""]
        ])
      }),
    patience
  )

  it.scopedLive(
    "takes a question once, however often and wherever it is sent, with a crash in between",
    () =>
      Effect.gen(function* () {
        const redis = yield* redisServer()
        const { open, node, flowId, token, upstream } = yield* stage({ redisUrl: redis.url })
        const question = asking("tokens=20", "only")
        const [a, b] = [yield* open(0), yield* open(1)]
        for (let i = 0; i < 5; i++) {
          yield* a.say(question)
          yield* b.say(question)
        }
        yield* closed(b, 1)
        yield* node(0).restart
        const c = yield* open(0)
        for (let i = 0; i < 5; i++) {
          yield* c.say(question)
          yield* b.say(question)
        }
        yield* c.until(({ type }) => type === "begin")
        const rows = yield* historyOf(node(1), token, flowId, "c1")
        expect(rows.map(({ category }) => category)).toEqual(["question", "answer"])
        expect((yield* upstream.stats).requests).toBe(1)
        const runs = yield* call(node(1), "GET", "/api/v1/runs?chat_id=c1", { token })
        expect(runs).toMatchObject([{ status: "done", client_msg_id: "only" }])
      }),
    patience
  )
})
