/**
 * A TCP proxy in front of one or several servers, for everything that goes wrong on a line: cuts, silence,
 * slowness, refusals. Connections are spread over the targets in turn; a target that refuses is passed over.
 */
import { createServer, type Server, type Socket } from "node:net"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Pair, type PairRules } from "./Pair.ts"

export interface Target {
  readonly host: string
  readonly port: number
}

export interface TcpProxy {
  readonly port: number
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly connections: () => number
  /** Resets all connections. Answers how many. */
  readonly cutAll: Effect.Effect<number>
  /** Resets this share (0 to 1) of the connections, chosen by `random`. Answers how many. */
  readonly cutSome: (random: () => number, share: number) => Effect.Effect<number>
  /** From here on no byte passes, either way; connections stay open and new ones are accepted. */
  readonly stall: Effect.Effect<void>
  readonly unstall: Effect.Effect<void>
  readonly stallFor: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Each connection passes this many bytes a second, each way; null: as many as it can. */
  readonly throttle: (bytesPerSecond: number | null) => Effect.Effect<void>
  /** Whether new connections are reset at once. */
  readonly refuse: (refusing: boolean) => Effect.Effect<void>
  /** Where new connections go; those there are stay. */
  readonly switchTo: (targets: ReadonlyArray<Target>) => Effect.Effect<void>
}

/** A server that is stopped takes connections and says nothing; one that does not even do that is passed over. */
const connectWithin = 1_000

export const proxy = (targets: ReadonlyArray<Target>): Effect.Effect<TcpProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const rules: PairRules = { stalled: false, bytesPerSecond: null }
    const pairs = new Set<Pair>()
    let current = targets
    let turn = 0
    let refusing = false

    /** Tries the targets once each, in turn. */
    const accept = (socket: Socket): void => {
      socket.on("error", () => socket.destroy())
      if (refusing) {
        socket.resetAndDestroy()
        return
      }
      const order = current.map((_, i) => current[(turn + i) % current.length])
      turn += 1
      const tryNext = (): void => {
        const target = order.shift()
        if (target === undefined || socket.destroyed) {
          socket.resetAndDestroy()
          return
        }
        const pair = new Pair(socket, target, connectWithin, rules, {
          onRefused: () => {
            pairs.delete(pair)
            tryNext()
          },
          onEnd: () => pairs.delete(pair)
        })
        pairs.add(pair)
      }
      tryNext()
    }

    const server = yield* listening(accept)
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0

    const cut = (chosen: ReadonlyArray<Pair>): number => {
      for (const pair of chosen) pair.reset()
      return chosen.length
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => cut([...pairs])))

    const change = (apply: () => void) =>
      Effect.sync(() => {
        apply()
        for (const pair of pairs) pair.applyRules()
      })
    const stall = change(() => {
      rules.stalled = true
    })
    const unstall = change(() => {
      rules.stalled = false
    })

    const made: TcpProxy = {
      port,
      url: `http://127.0.0.1:${port}`,
      connections: () => pairs.size,
      cutAll: Effect.sync(() => cut([...pairs])),
      cutSome: (random, share) => Effect.sync(() => cut([...pairs].filter(() => random() < share))),
      stall,
      unstall,
      stallFor: (duration) =>
        Effect.acquireUseRelease(
          stall,
          () => Effect.sleep(duration),
          () => unstall
        ),
      throttle: (bytesPerSecond) =>
        change(() => {
          rules.bytesPerSecond = bytesPerSecond
        }),
      refuse: (value) =>
        Effect.sync(() => {
          refusing = value
        }),
      switchTo: (next) =>
        Effect.sync(() => {
          current = next
        })
    }
    return made
  })

const listening = (accept: (socket: Socket) => void): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
      server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => resume(Effect.succeed(server)))
    }),
    // Its connections are cut by whoever holds them.
    (server) => Effect.sync(() => server.close())
  )
