/** HAProxy as people put it in front of several servers: TCP, and a look at each one's readiness. */
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { freshFolder } from "../database.ts"
import { programPath, run } from "./command.ts"
import { daemon } from "./daemon.ts"
import { stablePort } from "./ports.ts"
import { findProgram, install } from "./programs.mjs"
import type { Target } from "./proxy.ts"

export interface Haproxy {
  readonly port: number
  readonly url: string
  /** The names of the targets (`s1`, `s2` …) that it takes to be up. */
  readonly up: Effect.Effect<ReadonlyArray<string>, Error>
}

/** Installed from Debian where it is missing and this may be done. */
const program = Effect.suspend(() => {
  if (findProgram("haproxy") !== null) return programPath("haproxy")
  return Effect.zipRight(
    Effect.try({
      try: () => install(["haproxy"]),
      catch: (error) => (error instanceof Error ? error : new Error(String(error)))
    }),
    programPath("haproxy")
  )
})

/** Done when it takes connections; which targets are up it finds out within a second. */
export const haproxy = (targets: ReadonlyArray<Target>): Effect.Effect<Haproxy, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const path = yield* program
    const folder = yield* freshFolder
    const port = yield* stablePort
    const statistics = yield* stablePort
    const file = join(folder, "haproxy.cfg")
    writeFileSync(file, configuration(port, statistics, targets))
    yield* run(path, ["-c", "-q", "-f", file])
    yield* daemon({ name: "HAProxy", program: path, args: ["-db", "-f", file], ready: takes(port) })
    return {
      port,
      url: `http://127.0.0.1:${port}`,
      up: Effect.map(fetchText(`http://127.0.0.1:${statistics}/;csv`), (table) =>
        table
          .split("\n")
          .map((line) => line.split(","))
          .filter(([proxy, name, ...rest]) => proxy === "nodes" && name !== "BACKEND" && rest[15] === "UP")
          .map(([, name]) => name ?? "")
      )
    }
  })

const configuration = (port: number, statistics: number, targets: ReadonlyArray<Target>): string =>
  [
    "global",
    "  maxconn 4000",
    "defaults",
    "  mode tcp",
    "  timeout connect 2s",
    "  timeout client 1h",
    "  timeout server 1h",
    "  timeout check 1s",
    "frontend front",
    `  bind 127.0.0.1:${port}`,
    "  default_backend nodes",
    "backend nodes",
    "  balance roundrobin",
    "  option redispatch",
    "  option httpchk GET /health/ready",
    "  http-check expect status 200",
    ...targets.map(
      ({ host, port }, i) => `  server s${i + 1} ${host}:${port} check inter 500ms fall 2 rise 1`
    ),
    "listen statistics",
    "  mode http",
    `  bind 127.0.0.1:${statistics}`,
    "  stats enable",
    "  stats uri /",
    ""
  ].join("\n")

const takes = (port: number): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", (error) => resume(Effect.fail(error)))
  })

const fetchText = (url: string): Effect.Effect<string, Error> =>
  Effect.tryPromise({
    try: async (signal) => (await fetch(url, { signal })).text(),
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  })
