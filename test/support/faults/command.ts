/** Runs a program to its end. */
import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import { findProgram } from "./programs.mjs"

/** The path of a program that has to be here. */
export const programPath = (...names: ReadonlyArray<string>): Effect.Effect<string, Error> =>
  Effect.suspend(() => {
    const path = findProgram(...names)
    return path === null
      ? Effect.fail(new Error(`install ${names.join(" or ")} first`))
      : Effect.succeed(path)
  })

const patience = 60_000

/** Answers what it printed; fails with that where it ended with an error. */
export const run = (program: string, args: ReadonlyArray<string>): Effect.Effect<string, Error> =>
  Effect.async((resume) => {
    const child = execFile(program, args, { timeout: patience }, (error, stdout, stderr) => {
      resume(
        error === null
          ? Effect.succeed(stdout)
          : Effect.fail(new Error(`${program} ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`))
      )
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })
