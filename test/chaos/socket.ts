/** One socket of a client, until its scope closes. */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"

export class DialFailed extends Data.TaggedError("DialFailed")<{ readonly why: string }> {}

export interface Line {
  readonly say: (payload: unknown) => void
  /** Whether bytes are taken from the socket. */
  readonly reading: (isOn: boolean) => void
  /** Why it ended. */
  readonly ended: Effect.Effect<string>
}

const handshakeWithin = 4_000

/** `onOpen` comes before any text. */
export const dial = (url: string, onOpen: () => void, onText: (text: string) => void) =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<string>()
    /** What a socket still has in its buffers when it is given up was not seen. */
    let isOver = false
    const ws = yield* Effect.acquireRelease(
      Effect.async<WebSocket, DialFailed>((resume) => {
        const ws = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: handshakeWithin })
        let why = ""
        ws.on("open", () => {
          onOpen()
          resume(Effect.succeed(ws))
        })
        ws.on("message", (data) => {
          if (!isOver) onText(data.toString())
        })
        ws.on("error", (error) => {
          why = error.message
        })
        ws.on("close", (code, reason) => {
          const how = `${code} ${reason.toString() || why}`
          resume(Effect.fail(new DialFailed({ why: how })))
          Deferred.unsafeDone(ended, Effect.succeed(how))
        })
        return Effect.sync(() => ws.terminate())
      }),
      (ws) =>
        Effect.sync(() => {
          isOver = true
          ws.terminate()
        })
    )
    const line: Line = {
      say: (payload) => {
        if (ws.readyState === WebSocket.OPEN) ws.send(JSON.stringify(payload))
      },
      reading: (isOn) => {
        if (isOn) ws.resume()
        else ws.pause()
      },
      ended: Deferred.await(ended)
    }
    return line
  })
