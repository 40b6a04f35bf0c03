/** The command line of a chaos run: `npm run chaos`. */
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { faultKinds } from "./nemesis.ts"
import { details, table } from "./report.ts"
import { chaos } from "./run.ts"

const help = `npm run chaos [-- options]
  --seed N        decides what goes wrong and what the clients do (default: a random one, printed)
  --minutes M     how long things go wrong (default 3)
  --sessions N    how many chats (default 200)
  --nodes N       how many servers (default 3)
  --only KIND     only faults of this kind; may be given more than once:
                  ${faultKinds.join(", ")}
  --logs FOLDER   writes there what the servers printed last, and sessions with violations as JSON
  --main FILE     another build of the server than dist/main.js`

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    minutes: { type: "string", default: "3" },
    sessions: { type: "string", default: "200" },
    nodes: { type: "string", default: "3" },
    only: { type: "string", multiple: true, default: [] },
    logs: { type: "string" },
    main: { type: "string" },
    help: { type: "boolean", default: false }
  }
})

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`)
  return value
}

const program = Effect.gen(function* () {
  if (values.help) return yield* Console.log(help)
  const seed = Number(values.seed)
  yield* Console.log(`seed ${seed}`)
  const report = yield* chaos({
    seed,
    minutes: positive("minutes", values.minutes),
    sessions: positive("sessions", values.sessions),
    nodes: positive("nodes", values.nodes),
    say: (line) => console.log(line),
    ...(values.only.length === 0 ? {} : { only: values.only }),
    ...(values.main === undefined ? {} : { main: resolve(values.main) }),
    ...(values.logs === undefined ? {} : { logs: resolve(values.logs) })
  })
  yield* Console.log(`\n${table(report)}`)
  const questions = report.outcomes.flatMap(({ session }) =>
    session.clients.map(({ notes }) => notes.questions.size)
  )
  if (report.faults.length === 0 || questions.every((count) => count === 0)) {
    yield* Console.error("nothing went wrong, or nobody asked anything: this shows nothing")
    process.exitCode = 1
  }
  if (report.violations.length === 0) return
  yield* Console.log(`\n${details(report)}`)
  process.exitCode = 1
})

NodeRuntime.runMain(Effect.scoped(program))
