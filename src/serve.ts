/** Opens the port: REST and the page through the platform's handler, sockets through our own gateway. */
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Settings } from "./config.ts"
import { serveSockets } from "./gateway/Gateway.ts"
import { Peers } from "./gateway/Peers.ts"
import { httpApp } from "./http/app.ts"
import { OptionalRedis } from "./redis/Redis.ts"
import { Hub } from "./session/Hub.ts"

/** The port could not be opened; the message says what to do. */
export class CannotListen extends Data.TaggedError("CannotListen")<{ readonly message: string }> {}

/** Time a client may take for its request head, and for a whole request. */
const headTimeout = 10_000
const requestTimeout = 120_000

/** All sockets have left for other nodes after this. */
const longestMove = Duration.seconds(15)

const explain = (error: NodeJS.ErrnoException, host: string, port: number): string => {
  if (error.code === "EADDRINUSE") return `port ${port} is in use; set PORT to another one`
  if (error.code === "EACCES") return `port ${port} needs more rights; set PORT above 1023`
  return `cannot listen on ${host}:${port}: ${error.message}`
}

const listening = (server: Server, host: string, port: number) =>
  Effect.async<AddressInfo, CannotListen>((resume) => {
    server.once("error", (error) => {
      resume(Effect.fail(new CannotListen({ message: explain(error, host, port) })))
    })
    server.listen(port, host, () => {
      const bound = server.address()
      resume(
        bound === null || typeof bound === "string"
          ? Effect.dieMessage("the server has no port")
          : Effect.succeed(bound)
      )
    })
  })

const closed = (server: Server): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/** Serves until the scope closes; then runs are drained, sockets told to come back, the port closed. */
export const serve = Effect.gen(function* () {
  const { host, port, drainTimeout } = yield* Settings
  const hub = yield* Hub
  const peers = yield* Peers
  const redis = yield* OptionalRedis
  const moving = Duration.min(Duration.times(drainTimeout, 0.5), longestMove)
  const server = createServer({ headersTimeout: headTimeout, requestTimeout })
  // The port is closed after the sockets are gone: Node's `close` waits for every connection.
  yield* Effect.addFinalizer(() => closed(server))
  server.on("request", yield* NodeHttpServer.makeHandler(yield* httpApp))
  yield* serveSockets(server)
  const address = yield* listening(server, host, port)
  // Registered last, so it runs first: while runs are drained the port answers, and says that it drains.
  yield* Effect.addFinalizer(() =>
    // Where there is another node, sockets go there one by one while the runs here come to their end.
    Effect.all([hub.drain, Option.isSome(redis) ? peers.askToMove(moving) : Effect.void], {
      concurrency: "unbounded"
    })
  )
  const shown = host.includes(":") ? `[${host}]` : host
  return { port: address.port, url: `http://${shown}:${address.port}` }
})
