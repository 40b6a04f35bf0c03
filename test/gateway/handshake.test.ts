import { connect as connectTcp } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { flowIds } from "../support/apps.ts"
import { startServer } from "../support/server.ts"

/** The first bytes that the server answers to a handshake, as they came. */
const answerTo = (port: number, target: string) =>
  Effect.async<string>((resume) => {
    const socket = connectTcp(port, "127.0.0.1", () => {
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`
      )
    })
    socket.on("error", () => undefined)
    socket.once("data", (bytes) => {
      socket.destroy()
      resume(Effect.succeed(bytes.toString("latin1")))
    })
  })

it.scopedLive("the 101 and the first frame are one write", () =>
  Effect.gen(function* () {
    const server = yield* startServer()
    const token = yield* server.token(1)
    const answer = yield* answerTo(
      server.port,
      `/api/v1/chat/${flowIds.echo}?chat_id=one&native=1&t=${token}`
    )
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(answer).toContain('"category":"session"')
  })
)

it.scopedLive("an address is understood however a client writes it", () =>
  Effect.gen(function* () {
    const server = yield* startServer()
    const token = yield* server.token(1)
    const dashed = flowIds.echo.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
    const targets = [
      `/api/v1/chat/${dashed}?chat_id=a&t=${token}`,
      `/api/v1/./chat/../chat/${flowIds.echo}?t=${token}&chat_id=%61`,
      `http://elsewhere/api/v1/chat/${flowIds.echo}?chat_id=a&t=${token}`,
      `/api/v1/chat/${flowIds.echo}?chat_id=a&t=${token}#here`
    ]
    for (const target of targets) {
      expect(yield* answerTo(server.port, target), target).toMatch(/^HTTP\/1\.1 101 /)
    }
    expect(yield* answerTo(server.port, `/api/v1/chat/nothing?t=${token}`)).toMatch(/^HTTP\/1\.1 404 /)
    expect(yield* answerTo(server.port, `/api/v1/chats/${flowIds.echo}?t=${token}`)).toMatch(
      /^HTTP\/1\.1 404 /
    )
  })
)
