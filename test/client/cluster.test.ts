/** The SDK and several nodes behind a balancer, which are stopped and killed under it. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { WebSocket } from "ws"
import { type ConnectionState, connect, type SessionEvent } from "../../src/client/client.ts"
import { runsOf, stage } from "../e2e/cluster/stage.ts"
import { haproxy } from "../support/faults/haproxy.ts"
import { redisServer } from "../support/faults/redis.ts"
import { until } from "./meeting.ts"

const count = 2

const cluster = Effect.gen(function* () {
  const redis = yield* redisServer()
  const made = yield* stage({ redisUrl: redis.url, count, env: { DRAIN_TIMEOUT: "20" } })
  const balancer = yield* haproxy(made.nodes)
  const allUp = Effect.repeat(balancer.up, {
    until: (up) => up.length === count,
    schedule: Schedule.spaced("100 millis")
  })
  yield* allUp
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => connect({ url: balancer.url, token: made.token, WebSocket })),
    (client) => Effect.sync(() => client.close())
  )
  const session = client.session({ flowId: made.flowId, chatId: "c1", history: true })
  yield* Effect.promise(() => until(session, () => session.state.history === "loaded"))
  return { ...made, allUp, client, session }
})

const said = (words: number) => Array.from({ length: words }, (_, i) => `w${i} `).join("")

it.scopedLive(
  "the SDK moves from node to node as they are stopped, in the middle of answers, without losing its connection",
  () =>
    Effect.gen(function* () {
      const { nodes, allUp, client, session } = yield* cluster
      const states: Array<ConnectionState["status"]> = []
      client.onConnection(({ status }) => states.push(status))
      const seen: Array<SessionEvent> = []
      yield* Effect.forkScoped(
        Effect.promise(async () => {
          for await (const event of session.events()) seen.push(event)
        })
      )
      for (const node of nodes) {
        const before = session.state.messages.length
        session.send("tokens=150 delay=30")
        yield* Effect.promise(() =>
          until(session, () => (session.state.messages[before + 1]?.text ?? "").includes("w10"))
        )
        yield* node.sigterm
        yield* Effect.promise(() => until(session, () => session.state.status === "ready"))
        yield* node.start
        yield* allUp
      }
      expect(session.state.messages.map(({ text }) => text)).toEqual(
        nodes.flatMap(() => ["tokens=150 delay=30", said(150)])
      )
      const streamed = seen.map((event) => (event.type === "text" ? event.text : "")).join("")
      expect(streamed).toBe(said(150).repeat(count))
      // At least one of the nodes had our socket, and was left for the other.
      const moves = seen.filter(({ type }) => type === "opened")
      expect(moves.length).toBeGreaterThan(0)
      expect(moves.every((event) => event.type === "opened" && event.recovered)).toBe(true)
      expect(states).toEqual([])
    }),
  { timeout: 120_000 }
)

it.scopedLive(
  "an answer whose node is killed ends as lost, with what was written; the next question is answered",
  () =>
    Effect.gen(function* () {
      const { nodes, node, token, session } = yield* cluster
      session.send("tokens=400 delay=30")
      yield* Effect.promise(() =>
        until(session, () => (session.state.messages[1]?.text ?? "").includes("w60"))
      )
      const runs = yield* runsOf(node(0), token)
      const owner = nodes.find(({ id }) => JSON.stringify(runs).includes(`"owner":"${id}"`))
      if (owner === undefined) throw new Error("nobody runs it")
      yield* owner.sigkill
      yield* Effect.promise(() =>
        until(
          session,
          () => session.state.messages[1]?.role === "assistant" && session.state.messages[1].status === "lost"
        )
      )
      expect(session.state.messages).toHaveLength(2)
      expect(session.state.messages[1]).toMatchObject({
        text: expect.stringContaining("w58 w59 w60"),
        error: { code: 13015 }
      })
      session.send("tokens=5")
      yield* Effect.promise(() => until(session, () => session.state.messages[3]?.text === said(5)))
    }),
  { timeout: 120_000 }
)
