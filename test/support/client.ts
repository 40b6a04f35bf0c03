/**
 * A chat client for tests, so that they read like the protocol page: connect, ask, expect frames, expect
 * to be closed. It keeps every frame it was sent; short ones as the whole frames they stand for.
 */
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import { wholeFrames } from "./shortFrames.ts"

export interface WireFrame {
  readonly type: string
  readonly category: string
  readonly message: unknown
  readonly message_id: number | null
  readonly intermediate_steps: string | null
  readonly is_bot: boolean
  readonly extra: string
  readonly sender: string | null
  readonly receiver: Readonly<Record<string, unknown>> | null
  readonly files: ReadonlyArray<{ readonly file_url: string; readonly file_name: string }> | null
  readonly flow_id: string
  readonly chat_id: string
  readonly user_id: number | null
  readonly source: number
  readonly seq?: number
  readonly first_seq?: number
  readonly ref?: number
  readonly run_id?: string
  readonly question?: {
    readonly message_id: number | null
    readonly message: string
    readonly user_id: number
    readonly client_msg_id: string | null
  }
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

export interface TestClient {
  readonly ws: WebSocket
  readonly frames: ReadonlyArray<WireFrame>
  /** The same, as they came. */
  readonly texts: ReadonlyArray<string>
  readonly say: (payload: unknown) => Effect.Effect<void>
  readonly sayRaw: (data: string | Buffer, binary?: boolean) => Effect.Effect<void>
  /** Waits until a frame, among all received so far and to come, satisfies the test. */
  readonly until: (test: (frame: WireFrame) => boolean, what?: string) => Effect.Effect<WireFrame>
  /** Waits until this many frames satisfy the test. */
  readonly untilCount: (test: (frame: WireFrame) => boolean, count: number) => Effect.Effect<void>
  readonly closed: Effect.Effect<Closed>
  readonly close: Effect.Effect<void>
}

const patience = "10 seconds"

export const isClose = (frame: WireFrame): boolean => frame.type === "close"

/** `begin/processing`: how the protocol page names frames. */
export const nameOf = (frame: WireFrame): string => `${frame.type}/${frame.category}`

/** The text streamed in these frames. */
export const streamed = (
  frames: ReadonlyArray<WireFrame>,
  kind: "content" | "reasoning_content" = "content"
): string =>
  frames
    .filter(({ type }) => type === "stream")
    .map(({ message }) => {
      if (typeof message !== "object" || message === null || !(kind in message)) return ""
      return String(Object.entries(message).find(([key]) => key === kind)?.[1] ?? "")
    })
    .join("")

/** Opens a socket, until the scope closes. Fails with the HTTP status when the upgrade is refused. */
export const connect = (url: string, options: { readonly headers?: Record<string, string> } = {}) =>
  Effect.acquireRelease(
    Effect.async<TestClient, { readonly status: number; readonly body: string }>((resume) => {
      const ws = new WebSocket(url, { headers: options.headers ?? {}, perMessageDeflate: false })
      const frames: Array<WireFrame> = []
      const texts: Array<string> = []
      const whole = wholeFrames<WireFrame>()
      const watchers = new Set<() => void>()
      let ended: Closed | null = null
      const notify = () => {
        for (const watcher of watchers) watcher()
      }
      ws.on("message", (data) => {
        texts.push(data.toString())
        frames.push(whole(data.toString()))
        notify()
      })
      ws.on("close", (code, reason) => {
        ended = { code, reason: reason.toString() }
        notify()
      })
      ws.on("error", () => notify())
      ws.on("unexpected-response", (_request, response) => {
        let body = ""
        response.on("data", (chunk) => {
          body += chunk
        })
        response.on("end", () => resume(Effect.fail({ status: response.statusCode ?? 0, body })))
      })

      const waitFor = <A>(look: () => A | undefined): Effect.Effect<A> =>
        Effect.async<A>((done) => {
          const check = () => {
            const found = look()
            if (found === undefined) return
            watchers.delete(check)
            done(Effect.succeed(found))
          }
          watchers.add(check)
          check()
          return Effect.sync(() => watchers.delete(check))
        })

      const describeFrames = () => frames.map(nameOf).join(" ")
      /** A test that waits in vain says for what, and what it saw instead. */
      const orDie = <A>(effect: Effect.Effect<A>, what: string) =>
        Effect.timeoutFail(effect, {
          duration: patience,
          onTimeout: () =>
            new Error(`waited for ${what}; saw ${describeFrames()}; closed ${ended?.code ?? "no"}`)
        }).pipe(Effect.orDie)

      const client: TestClient = {
        ws,
        frames,
        texts,
        say: (payload) => Effect.sync(() => ws.send(JSON.stringify(payload))),
        sayRaw: (data, binary = false) => Effect.sync(() => ws.send(data, { binary })),
        until: (test, what = "a frame") =>
          orDie(
            waitFor(() => frames.find(test)),
            what
          ),
        untilCount: (test, count) =>
          orDie(
            waitFor(() => (frames.filter(test).length >= count ? true : undefined)),
            `${count} frames`
          ).pipe(Effect.asVoid),
        closed: orDie(
          waitFor(() => ended ?? undefined),
          "a close frame"
        ),
        close: Effect.async<void>((done) => {
          if (ws.readyState === WebSocket.CLOSED) return done(Effect.void)
          ws.once("close", () => done(Effect.void))
          ws.close()
        })
      }
      ws.on("open", () => resume(Effect.succeed(client)))
    }),
    ({ ws }) => Effect.sync(() => ws.terminate())
  )
