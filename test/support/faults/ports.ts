/** Ports for servers that are killed and come back to the same one. */
import { connect, createServer } from "node:net"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/**
 * Below the range that the system takes the near ends of outgoing connections from: while a server is down,
 * nobody else gets its port.
 */
const lowest = 12_000
const highest = 32_000

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, "127.0.0.1", () => {
      server.close(() => resume(Effect.succeed(true)))
    })
  })

/** A port that is free now, with the one `beside` above it free too. */
const somePort = (beside: number): Effect.Effect<number> =>
  Effect.suspend(() => {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    return Effect.all([isFree(port), isFree(port + beside)]).pipe(
      Effect.filterOrFail(
        ([one, other]) => one && other,
        () => new Error("taken")
      ),
      Effect.as(port)
    )
  }).pipe(Effect.retry(Schedule.recurs(100)), Effect.orDie)

export const stablePort: Effect.Effect<number> = somePort(1)

/** For a node of a Redis Cluster, which also listens 10,000 above its port. */
export const clusterPort: Effect.Effect<number> = somePort(10_000)

/** Connects, says `hello`, and fails unless something comes back within a second. */
export const answers = (port: number, hello: string): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const socket = connect(port, "127.0.0.1")
    const fail = (why: string) => resume(Effect.fail(new Error(`port ${port}: ${why}`)))
    socket.setTimeout(1000, () => {
      fail("no answer")
      socket.destroy()
    })
    socket.once("connect", () => socket.write(hello))
    socket.once("data", () => {
      resume(Effect.void)
      socket.destroy()
    })
    socket.once("error", ({ message }) => fail(message))
    socket.once("close", () => fail("closed"))
    return Effect.sync(() => socket.destroy())
  })
