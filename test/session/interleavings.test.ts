import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import type { Answering, App } from "../../src/app/App.ts"
import { RunFailed } from "../../src/protocol/errors.ts"
import type { Ask, OnBusy, Reply } from "../../src/protocol/payloads.ts"
import { Deltas, noUsage, type RunEvent } from "../../src/protocol/RunEvent.ts"
import { Actions } from "../../src/run/Actions.ts"
import type { Journal } from "../../src/run/Journal.ts"
import { unsavedJournal } from "../../src/run/unsavedJournal.ts"
import { FrameLog } from "../../src/session/FrameLog.ts"
import { makeSession, type NodeOptions, slotsOf } from "../../src/session/makeSession.ts"
import type { Session } from "../../src/session/Session.ts"
import { alone } from "../../src/session/shared/Lease.ts"
import { SeededScheduler, seededRandom } from "../support/SeededScheduler.ts"

const address = { flowId: "a".repeat(32), chatId: "chat" }
const asker = { userId: 1, ip: "127.0.0.1" }

/** Gives way a drawn number of times, as a database or a model would. */
const dawdle = (random: () => number) =>
  Effect.suspend(() => Effect.repeatN(Effect.yieldNow(), Math.floor(random() * 6)))

/** Streams its question back, letter by letter; fails, dies or waits for a reply when told to. */
const dawdlingApp = (random: () => number): App => {
  const answer = echo(random)
  return {
    flowId: address.flowId,
    flowType: 5,
    kind: "assistant",
    name: "Echo",
    onDisconnect: "continue",
    inputKey: "input",
    asksModelFirst: true,
    answer: ({ text }) => answer(text),
    resume: {
      accept: (_state, { body }) => Either.right({ text: String(body) }),
      run: (_state, { body }) => answer(String(body))
    }
  }
}

const echo =
  (random: () => number) =>
  (text: string): Answering =>
    Stream.unwrap(
      Effect.map(Deltas, (sink) => {
        const tool: ReadonlyArray<RunEvent> = [
          { _tag: "ToolStarted", id: "t1", category: "tool", name: "x", input: "{}", callId: "c", turn: 0 },
          { _tag: "ToolEnded", id: "t1", output: "1", failed: false }
        ]
        const letters = Stream.fromIterable(text).pipe(
          Stream.mapEffect((letter) =>
            Effect.zipRight(
              dawdle(random),
              Effect.sync(() => sink.text(letter))
            )
          ),
          Stream.drain
        )
        const answered: RunEvent = { _tag: "Answered", text, source: 0, passages: [], usage: noUsage }
        const end = text.startsWith("fail")
          ? Stream.fail(new RunFailed({ reason: "told to", kind: "assistant" }))
          : text.startsWith("die")
            ? Stream.die("told to")
            : text.startsWith("wait")
              ? Stream.make<[RunEvent]>({ _tag: "Waiting", state: { text } })
              : Stream.make(answered)
        return Stream.concat(Stream.fromIterable(tool), Stream.concat(letters, end))
      })
    )

interface Ended {
  readonly runId: string
  readonly status: string
}

/** A journal that takes its time, and keeps what was accepted and how it ended. */
const dawdlingJournal =
  (random: () => number, accepted: Array<string>, ended: Array<Ended>) => (): Journal => {
    const inner = unsavedJournal()
    const slow = <A, E>(effect: Effect.Effect<A, E>) => Effect.zipRight(dawdle(random), effect)
    return {
      ...inner,
      accept: (acceptance) =>
        slow(inner.accept(acceptance)).pipe(
          Effect.tap(({ run, fresh }) => Effect.sync(() => fresh && accepted.push(run.runId)))
        ),
      find: (id) => slow(inner.find(id)),
      dequeue: (owner) => slow(inner.dequeue(owner)),
      waits: slow(inner.waits),
      cancel: (id, owner) =>
        slow(inner.cancel(id, owner)).pipe(Effect.tap((runs) => Effect.sync(() => ended.push(...runs)))),
      record: (id, messages) => slow(inner.record(id, messages)),
      park: (id, wait) => slow(inner.park(id, wait)),
      resume: (id, message, owner) => slow(inner.resume(id, message, owner)),
      rollback: (id) => slow(inner.rollback(id)),
      finish: (runId, ending) =>
        slow(inner.finish(runId, ending)).pipe(
          Effect.tap(() => Effect.sync(() => ended.push({ runId, status: ending.status })))
        )
    }
  }

type Command =
  | { readonly kind: "ask"; readonly text: string; readonly onBusy: OnBusy; readonly id: string | null }
  | { readonly kind: "stop"; readonly scope: "run" | "all" }
  | { readonly kind: "reply"; readonly text: string; readonly id: string | null }
  | { readonly kind: "wait" }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      text: fc.constantFrom("a", "hello", "a longer question", "fail", "die", "wait"),
      onBusy: fc.constantFrom<OnBusy>("enqueue", "reject", "interrupt", "rollback"),
      id: fc.constantFrom(null, "m1", "m2", "m3")
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("stop" as const),
      scope: fc.constantFrom("run" as const, "all" as const)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("reply" as const),
      text: fc.constantFrom("yes", "fail", "wait again"),
      id: fc.constantFrom(null, "r1", "r2")
    })
  },
  { weight: 1, arbitrary: fc.constant({ kind: "wait" as const }) }
)

const perform = (session: Session, step: Command, random: () => number): Effect.Effect<unknown> => {
  switch (step.kind) {
    case "wait":
      return dawdle(random)
    case "stop":
      return session.stop(step.scope)
    case "reply": {
      const reply: Reply = { _tag: "Reply", action: "continue", body: step.text, clientMsgId: step.id }
      return Effect.either(session.reply(reply, asker)).pipe(
        Effect.tap((result) =>
          Effect.sync(() => {
            if (Either.isLeft(result)) expect(result.left._tag).toBe("InvalidInput")
          })
        )
      )
    }
    case "ask": {
      const ask: Ask = {
        _tag: "Ask",
        action: "default",
        inputs: { input: step.text },
        clientMsgId: step.id,
        onBusy: step.onBusy
      }
      return Effect.either(session.ask(ask, asker)).pipe(
        Effect.tap((result) =>
          Effect.sync(() => {
            if (Either.isLeft(result)) expect(["SessionBusy", "QueueFull"]).toContain(result.left._tag)
          })
        )
      )
    }
  }
}

interface SeenFrame {
  readonly type: string
  readonly run_id: string
}

/** A history comes to its end in a few thousand. */
const manyTurns = 50_000

const asks = (text: string, onBusy: OnBusy, id: string | null): Command => ({ kind: "ask", text, onBusy, id })
const replies = (text: string, id: string | null): Command => ({ kind: "reply", text, id })
const stops = (scope: "run" | "all"): Command => ({ kind: "stop", scope })
const wait: Command = { kind: "wait" }

/** What had been left lying: a question that took the place of a run that began while the one before was ended. */
const leftLying: [number, Array<Array<Command>>] = [
  -5,
  [
    [wait, replies("yes", null), asks("wait", "enqueue", null)],
    [
      replies("wait again", null),
      asks("a longer question", "reject", null),
      asks("die", "reject", "m3"),
      asks("die", "reject", "m2"),
      replies("yes", "r1"),
      asks("a longer question", "interrupt", "m2")
    ],
    [wait, asks("die", "enqueue", "m1"), stops("all"), stops("run")],
    [stops("all"), asks("hello", "enqueue", null), wait, replies("yes", "r2")]
  ]
]

/** Several sockets' commands against one session, in the order the seed decides; then its whole log. */
const play = (seed: number, sockets: ReadonlyArray<ReadonlyArray<Command>>) =>
  Effect.gen(function* () {
    const random = seededRandom(seed)
    const accepted: Array<string> = []
    const ended: Array<Ended> = []
    let slots = 0
    const log = new FrameLog({
      epoch: "e",
      address,
      onDirty: () => undefined,
      retention: { maxFrames: 20_000, maxChars: 1024 * 1024 }
    })
    const node: NodeOptions = {
      self: "node-1",
      isDead: () => Effect.succeed(false),
      askAt: () => Effect.succeedNone,
      draining: () => false,
      headStarts: slotsOf(1),
      actions: Actions.table,
      judge: {
        source: () => Effect.succeed({ source: 0, extra: {} }),
        mayRead: () => Effect.succeed(true)
      },
      checkpoints: { watch: () => undefined, leave: () => undefined },
      slots: {
        take: () => {
          slots += 1
          return true
        },
        hold: () => {
          slots += 1
        },
        release: () => {
          slots -= 1
        }
      },
      maxQueued: 4,
      orphanTimeout: Duration.minutes(10),
      waitLimit: Duration.hours(1)
    }
    const own = {
      journal: dawdlingJournal(random, accepted, ended),
      openApp: Effect.succeed(dawdlingApp(random)),
      retain: Effect.succeed(Effect.void)
    }
    const session = makeSession(yield* Effect.scope, node, { address, userId: 1, log, lease: alone, own })
    yield* session.attend(null)
    const fibers = yield* Effect.forEach(sockets, (commands) =>
      Effect.fork(Effect.forEach(commands, (step) => perform(session, step, random), { discard: true }))
    )
    yield* Effect.forEach(fibers, Fiber.join)
    // Between two runs nothing runs, and the next is about to: all is done when all that was accepted has ended or waits.
    const waiting = () => (log.standing.status === "waiting" ? 1 : 0)
    let turns = 0
    yield* Effect.repeat(Effect.yieldNow(), {
      until: () => {
        turns += 1
        if (turns > manyTurns) throw new Error("an accepted question is left lying")
        return session.running() === null && ended.length + waiting() === accepted.length
      }
    })
    expect(log.standing.status).not.toBe("running")
    yield* session.stop("all")
    expect(log.standing.status).toBe("idle")
    const frames: Array<SeenFrame> = []
    for (let next = log.next(0); next !== null; next = log.next(next.seq)) frames.push(JSON.parse(next.json))
    return { frames, accepted, ended, slots, end: log.next(log.lastSeq) }
  }).pipe(
    Effect.scoped,
    Effect.provide(Logger.remove(Logger.defaultLogger)),
    Effect.withScheduler(new SeededScheduler(seed))
  )

describe("a session, whatever the interleaving", () => {
  it("tells every accepted question by one begin and one close, one run at a time, and ends it once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.array(command, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        async (seed, sockets) => {
          const { frames, accepted, ended, slots } = await Effect.runPromise(play(seed, sockets))
          const begun = frames.filter(({ type }) => type === "begin").map(({ run_id }) => run_id)
          const closed = frames.filter(({ type }) => type === "close").map(({ run_id }) => run_id)
          expect([...begun].sort()).toEqual([...accepted].sort())
          expect(closed).toEqual(begun)
          expect(ended.map(({ runId }) => runId).sort()).toEqual([...accepted].sort())
          expect(slots).toBe(0)
          let open: string | null = null
          for (const { type, run_id } of frames) {
            if (type === "begin") {
              expect(open).toBeNull()
              open = run_id
            }
            expect(run_id).toBe(open)
            if (type === "close") open = null
          }
          expect(open).toBeNull()
        }
      ),
      { numRuns: 300, examples: [leftLying] }
    )
  })
})
