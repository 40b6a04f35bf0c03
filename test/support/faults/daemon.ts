/**
 * A server process that a test kills, freezes and starts again. Whatever was done to it, it is gone with the
 * scope, and with this process should that end first.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

export interface DaemonOptions {
  readonly name: string
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Succeeds as soon as it serves. */
  readonly ready: Effect.Effect<unknown, Error>
}

export interface Daemon {
  /** Null while it is down. */
  readonly pid: () => number | null
  /** The end of what it printed, over all its lives. */
  readonly output: () => string
  /** Lives that ended without being told to, each by how. */
  readonly crashes: () => ReadonlyArray<string>
  /** Starts it where it is down, and waits until it serves. */
  readonly start: Effect.Effect<void, Error>
  /** SIGKILL; done when the process is gone. */
  readonly kill: Effect.Effect<void>
  /** SIGTERM; done when the process has ended by itself. Answers its exit code, or the signal that ended it. */
  readonly terminate: Effect.Effect<number | string>
  /** SIGSTOP and SIGCONT. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
}

const startWithin = "60 seconds"
const keptOutput = 64 * 1024

const running = new Set<ChildProcess>()

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const ended = (child: ChildProcess): Effect.Effect<number | string> =>
  Effect.async((resume) => {
    const done = () => resume(Effect.succeed(child.signalCode ?? child.exitCode ?? 0))
    if (hasEnded(child)) return done()
    child.once("exit", done)
    return Effect.sync(() => child.off("exit", done))
  })

/** One that is started already. */
export const daemon = (options: DaemonOptions): Effect.Effect<Daemon, Error, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => make(options)),
    // SIGKILL ends a stopped process too.
    ({ kill }) => kill
  ).pipe(Effect.tap(({ start }) => start))

const make = ({ name, program, args, env, ready }: DaemonOptions): Daemon => {
  let child: ChildProcess | null = null
  let output = ""
  /** Lives that were told to end. */
  const told = new WeakSet<ChildProcess>()
  const crashes: Array<string> = []

  const isUp = () => child !== null && !hasEnded(child)

  const launch = (): void => {
    // In a group of its own: Ctrl-C is for us, who end it in order.
    const born = spawn(program, args, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    const listen = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-keptOutput)
    }
    born.stdout.on("data", listen)
    born.stderr.on("data", listen)
    born.once("error", ({ message }) => {
      output += message
    })
    born.once("exit", (code, signal) => {
      running.delete(born)
      if (!told.has(born)) crashes.push(`${name} ended with ${signal ?? code}`)
    })
    running.add(born)
    child = born
  }

  const signal = (signals: ReadonlyArray<NodeJS.Signals>, isEnd: boolean): void => {
    if (child === null || hasEnded(child)) return
    if (isEnd) told.add(child)
    for (const one of signals) child.kill(one)
  }

  const gone = Effect.suspend(() => (child === null ? Effect.succeed(0) : ended(child)))

  const untilReady = Effect.suspend(() =>
    isUp() ? Effect.mapError(ready, () => "not yet" as const) : Effect.fail("ended" as const)
  ).pipe(
    Effect.retry({ while: (why) => why === "not yet", schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutFail({ duration: startWithin, onTimeout: () => "did not answer" as const }),
    Effect.mapError((why) => new Error(`${name} ${why}: ${output.slice(-2_000)}`))
  )

  return {
    pid: () => (isUp() ? (child?.pid ?? null) : null),
    output: () => output,
    crashes: () => crashes,
    // One that was told to end serves no more: its end is waited for, and another one started.
    start: Effect.suspend(() => (child !== null && told.has(child) ? gone : Effect.void)).pipe(
      Effect.zipRight(
        Effect.suspend(() => {
          if (!isUp()) launch()
          return Effect.asVoid(untilReady)
        })
      )
    ),
    kill: Effect.suspend(() => {
      signal(["SIGKILL"], true)
      return Effect.asVoid(gone)
    }),
    terminate: Effect.suspend(() => {
      // A stopped process hears nothing until it goes on.
      signal(["SIGTERM", "SIGCONT"], true)
      return gone
    }),
    pause: Effect.sync(() => signal(["SIGSTOP"], false)),
    resume: Effect.sync(() => signal(["SIGCONT"], false))
  }
}
