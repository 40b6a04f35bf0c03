/**
 * A rolling deploy: nodes behind a balancer are stopped and started one by one, under sockets that come back by
 * themselves. `DEPLOY_SOCKETS=2000 DEPLOY_RUNS=100` makes it as large as one likes.
 */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { WebSocket } from "ws"
import { haproxy } from "../../support/faults/haproxy.ts"
import { redisServer } from "../../support/faults/redis.ts"
import { historyOf } from "../../support/process.ts"
import { stage } from "./stage.ts"

const size = (name: string, usual: number) => Number(process.env[name] ?? usual)
const sockets = size("DEPLOY_SOCKETS", 120)
const runs = size("DEPLOY_RUNS", 20)

interface Said {
  readonly type: string
  readonly category: string
  readonly message: { readonly [key: string]: unknown } | null
  readonly seq?: number
  readonly first_seq?: number
  readonly run_id?: string
}

/** Follows one chat for as long as it lives, from whichever node lets it in, as a native client does. */
class Follower {
  readonly chatId: string
  private readonly url: string
  private ws: WebSocket | null = null
  private place: { readonly epoch: string; seq: number } | null = null
  private lostAt: number | null = null
  private over = false
  text = ""
  /** What it saw that it should not have. */
  readonly faults: Array<string> = []
  /** How long it was without a socket, each time, in milliseconds. */
  readonly absences: Array<number> = []
  closes = 0
  isOpen = false

  constructor(url: string, chatId: string) {
    this.url = url
    this.chatId = chatId
    this.connect()
  }

  say(payload: unknown): void {
    this.ws?.send(JSON.stringify(payload))
  }

  end(): void {
    this.over = true
    this.ws?.terminate()
  }

  private connect(): void {
    const resume = this.place === null ? "" : `&last_seq=${this.place.seq}&epoch=${this.place.epoch}`
    const ws = new WebSocket(`${this.url}&chat_id=${this.chatId}&native=1${resume}`)
    const before = this.ws
    this.ws = ws
    ws.on("error", () => undefined)
    ws.on("message", (data) => this.heard(ws, JSON.parse(data.toString())))
    ws.on("close", () => this.gone(ws))
    before?.terminate()
  }

  private gone(ws: WebSocket): void {
    if (this.ws !== ws || this.over) return
    this.isOpen = false
    this.lostAt ??= Date.now()
    setTimeout(() => this.over || this.connect(), 20 + Math.random() * 200)
  }

  private heard(ws: WebSocket, said: Said): void {
    if (this.ws !== ws) return
    if (said.type === "info" && said.category === "session" && said.message !== null) {
      const { epoch, seq, recovered } = said.message
      if (this.place !== null && recovered === false) this.faults.push("a gap")
      this.place = { epoch: String(epoch), seq: Number(seq) }
      this.isOpen = true
      if (this.lostAt !== null) this.absences.push(Date.now() - this.lostAt)
      this.lostAt = null
      return
    }
    if (said.category === "system" && said.message?.["action"] === "reconnect") {
      setTimeout(() => {
        if (this.ws !== ws || this.over) return
        this.lostAt ??= Date.now()
        this.connect()
      }, Number(said.message["after_ms"]))
      return
    }
    // A node that stops lets nobody in: the balancer may send one there before it knows.
    if (said.category === "error" && said.message?.["status_code"] === 503) return
    if (said.category === "error") this.faults.push(JSON.stringify(said.message))
    if (said.seq === undefined || this.place === null) return
    const first = said.first_seq ?? said.seq
    if (first !== this.place.seq + 1) this.faults.push(`${first} after ${this.place.seq}`)
    this.place.seq = said.seq
    if (said.type === "stream") this.text += String(said.message?.["content"] ?? "")
    if (said.type === "close") this.closes += 1
  }
}

const follower = (url: string, chatId: string): Effect.Effect<Follower, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Follower(url, chatId)),
    (one) => Effect.sync(() => one.end())
  )

const until = (what: string, look: () => boolean) =>
  Effect.sync(look).pipe(
    Effect.repeat({ until: (so) => so, schedule: Schedule.spaced("50 millis") }),
    Effect.timeoutFail({ duration: "90 seconds", onTimeout: () => new Error(`in vain: ${what}`) })
  )

it.scopedLive(
  "a rolling deploy loses no delta and no client",
  () =>
    Effect.gen(function* () {
      const redis = yield* redisServer()
      const { nodes, token, flowId } = yield* stage({
        redisUrl: redis.url,
        count: 3,
        env: { DRAIN_TIMEOUT: "20", MAX_CONNECTIONS: "10000" }
      })
      const balancer = yield* haproxy(nodes)
      yield* Effect.repeat(balancer.up, {
        until: (up) => up.length === nodes.length,
        schedule: Schedule.spaced("100 millis")
      })
      const url = `ws://127.0.0.1:${balancer.port}/api/v1/chat/${flowId}?t=${token}`
      const all: Array<Follower> = []
      for (let i = 0; i < sockets; i++) {
        all.push(yield* follower(url, `chat-${i}`))
        if (i % 50 === 49) yield* until("sockets", () => all.every(({ isOpen }) => isOpen))
      }
      yield* until("sockets", () => all.every(({ isOpen }) => isOpen))
      const asking = all.slice(0, runs)
      const ask = (round: number) => {
        for (const one of asking) {
          one.say({ inputs: { input: "tokens=150 delay=30" }, client_msg_id: `m${round}` })
        }
      }
      for (const [round, node] of nodes.entries()) {
        const before = asking.map(({ closes, text }) => ({ closes, length: text.length }))
        ask(round)
        yield* until("answers under way", () =>
          asking.every(({ text }, i) => text.length > (before[i]?.length ?? 0))
        )
        yield* node.sigterm
        yield* node.start
        yield* until("answers", () => asking.every(({ closes }, i) => closes > (before[i]?.closes ?? 0)))
        yield* until("everybody back", () => all.every(({ isOpen }) => isOpen))
        yield* Effect.repeat(balancer.up, {
          until: (up) => up.length === nodes.length,
          schedule: Schedule.spaced("100 millis")
        })
      }
      expect(all.flatMap(({ faults }) => faults)).toEqual([])
      for (const one of asking) expect(one.text.trim().split(/\s+/)).toHaveLength(150 * nodes.length)
      const absences = all.flatMap((one) => one.absences).sort((a, b) => a - b)
      const p95 = absences[Math.floor(absences.length * 0.95)] ?? 0
      console.log(
        `${sockets} sockets, ${runs} answers at a time: ${absences.length} reconnections, p50 ${absences[absences.length >> 1]} ms, p95 ${p95} ms, longest ${absences.at(-1)} ms`
      )
      expect(absences.length).toBeGreaterThan(0)
      const [first] = nodes
      if (first === undefined) return
      const rows = yield* historyOf(first, token, flowId, "chat-0")
      expect(rows.map(({ remark }) => remark)).toEqual(nodes.flatMap(() => ["", ""]))
    }),
  { timeout: 280_000 }
)
