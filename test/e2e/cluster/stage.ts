/** Several nodes over one database and one Redis, with an assistant whose model speaks at a pace. */
import * as Effect from "effect/Effect"
import { connect, isClose, streamed, type TestClient, type WireFrame } from "../../support/client.ts"
import { freshDatabase } from "../../support/database.ts"
import { type ServerNode, serverNodes } from "../../support/faults/nodes.ts"
import { call, guest, newAssistant } from "../../support/process.ts"
import { pacedUpstream } from "../../support/upstream.ts"

export interface Stage {
  readonly nodes: ReadonlyArray<ServerNode>
  readonly node: (index: number) => ServerNode
  readonly upstream: Effect.Effect.Success<ReturnType<typeof pacedUpstream>>
  readonly token: string
  readonly flowId: string
  readonly open: (index: number, query?: string) => ReturnType<typeof connect>
}

export const stage = (options: {
  readonly redisUrl: string
  readonly count?: number
  readonly databaseUrl?: string
  readonly env?: Readonly<Record<string, string>>
}) =>
  Effect.gen(function* () {
    const upstream = yield* pacedUpstream({ tokens: 100, delay: 10 })
    const nodes = yield* serverNodes({
      count: options.count ?? 2,
      databaseUrl: options.databaseUrl ?? (yield* freshDatabase),
      redisUrl: options.redisUrl,
      upstreamUrl: upstream.url,
      ...(options.env === undefined ? {} : { env: options.env })
    })
    const node = (index: number): ServerNode => {
      const found = nodes[index]
      if (found === undefined) throw new Error(`there is no node ${index}`)
      return found
    }
    const token = yield* guest(node(0))
    const flowId = yield* newAssistant(node(0), token)
    const open = (index: number, query = "&native=1") =>
      connect(`ws://127.0.0.1:${node(index).port}/api/v1/chat/${flowId}?chat_id=c1&t=${token}${query}`)
    const made: Stage = { nodes, node, upstream, token, flowId, open }
    return made
  })

/** A question of these words; its words tell the model how long to speak. */
export const asking = (input: string, id: string) => ({ inputs: { input }, client_msg_id: id })

export const hasStreamed = (client: TestClient, text: string) =>
  client.until(() => streamed(client.frames).includes(text), `"${text}" streamed`)

export const closed = (client: TestClient, count: number) => client.untilCount(isClose, count)

/** The numbered frames as the checker of a client sees them: contiguous, none twice. */
export const numbers = (frames: ReadonlyArray<WireFrame>): ReadonlyArray<readonly [number, number]> =>
  frames.flatMap(({ seq, first_seq }) => (seq === undefined ? [] : [[first_seq ?? seq, seq] as const]))

/** What is wrong with the order of a client's frames, gaps that it was told of left out. */
export const disorder = (frames: ReadonlyArray<WireFrame>): string | null => {
  let last: number | null = null
  for (const frame of frames) {
    if (frame.type === "info" && frame.category === "session") {
      const place = Object.entries(frame.message ?? {}).find(([key]) => key === "seq")?.[1]
      last = typeof place === "number" ? place : null
    }
    if (frame.seq === undefined) continue
    const first = frame.first_seq ?? frame.seq
    if (last !== null && first !== last + 1) return `${first} after ${last}`
    last = frame.seq
  }
  return null
}

/** What this client was told of a run, told from the text that the deltas of one run make. */
export const textOf = (client: TestClient, runId: string | undefined): string =>
  streamed(client.frames.filter(({ run_id }) => run_id === runId))

export const runsOf = (node: ServerNode, token: string) =>
  call(node, "GET", "/api/v1/runs?chat_id=c1", { token })

/** Where clients were told that frames are missing. */
export const gaps = (client: TestClient): number =>
  client.frames.filter(
    ({ type, category, message }) =>
      type === "info" &&
      category === "session" &&
      typeof message === "object" &&
      message !== null &&
      Object.entries(message).some(([key, value]) => key === "recovered" && value === false)
  ).length
