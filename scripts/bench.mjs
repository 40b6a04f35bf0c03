/**
 * `npm run bench`: measures this server beside a bare `ws` server and servers of other makes, on this machine, in one
 * run.
 * See docs/performance.md.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { cpus } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const baseline = join(root, "bench", "baseline.json")
/** A run that takes longer than this has gone wrong. */
const maxMinutes = 60
/** The soak takes as long as it takes. */
const maxMinutesOfSoak = 180

const help = `npm run bench [-- options]
  --only CASE        streaming, idle, heartbeats, reconnect, first-token, stop, slow-reader, history, start, peers, scale-out or
                     soak (the last two only when they are named); may be given more than once
  --peer NAME        of the peers only this one: socket.io, ai-sdk, langgraph or fastapi; may be given more than once
  --rounds N         rounds to take the median of (default 3)
  --runs N           runs of the soak (default 200000)
  --messages N       of the history whose pages are read (default 200000; 10000000 takes 10 GB and a quarter of an hour)
  --json FILE        writes the results
  --plots FILE       draws docs/plots from what --json wrote, and measures nothing
  --check            fails when a ratio is more than 15 % worse than in bench/baseline.json
  --save-baseline    writes this run's ratios into bench/baseline.json
  --profile DIR      writes a CPU profile of each of our servers, and prints the functions at the top`

const fail = (message) => {
  console.error(message)
  process.exit(2)
}

const read = () => {
  try {
    return parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        peer: { type: "string", multiple: true, default: [] },
        rounds: { type: "string", default: "3" },
        runs: { type: "string", default: "200000" },
        messages: { type: "string", default: "200000" },
        json: { type: "string" },
        plots: { type: "string" },
        check: { type: "boolean", default: false },
        "save-baseline": { type: "boolean", default: false },
        profile: { type: "string" },
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (error) {
    return fail(`${error.message}\n\n${help}`)
  }
}

const options = read()
if (options.help) {
  console.log(help)
  process.exit(0)
}
if (options.plots) {
  const { nodePackages } = await import("../bench/peers/install.mjs")
  nodePackages(console.log)
  const { drawPlots } = await import("../bench/peers/plots/index.mjs")
  for (const drawn of await drawPlots(options.plots)) console.log(drawn)
  process.exit(0)
}
const rounds = Number(options.rounds)
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20)
  fail("--rounds must be a whole number from 1 to 20")
const runs = Number(options.runs)
if (!Number.isInteger(runs) || runs < 1000) fail("--runs must be a whole number from 1000")
const messages = Number(options.messages)
if (!Number.isInteger(messages) || messages < 10_000 || messages > 100_000_000)
  fail("--messages must be a whole number from 10000 to 100000000")
if (!existsSync("/proc/self/status"))
  fail("the benchmark reads CPU time and memory from /proc: it needs Linux")

const build = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { stdio: "inherit" })
if (build.status !== 0) process.exit(build.status ?? 1)

const { run, cases } = await import("../bench/run.mjs")
const { compare, table, writeBaseline, writeJson } = await import("../bench/report.mjs")
const { peers } = await import("../bench/peers/servers.mjs")
const unknown = options.only.find((name) => !cases.some((one) => one.name === name))
if (unknown) fail(`--only ${unknown}: there is ${cases.map(({ name }) => name).join(", ")}`)

const unknownPeer = options.peer.find((name) => !(name in peers))
if (unknownPeer) fail(`--peer ${unknownPeer}: there is ${Object.keys(peers).join(", ")}`)
const peer = options.peer.length > 0 ? options.peer : Object.keys(peers)

const profileDir = options.profile === undefined ? undefined : resolve(options.profile)
if (profileDir) mkdirSync(profileDir, { recursive: true })

const patience = options.only.includes("soak") ? maxMinutesOfSoak : maxMinutes
setTimeout(() => fail(`gave up after ${patience} minutes`), patience * 60_000).unref()
const began = Date.now()
const machine = { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model ?? "" }
console.log(`Node ${machine.node}, ${machine.cores} cores, ${machine.cpu}`)

const log = (line) => console.log(line)
const results = await run({ only: options.only, peer, rounds, runs, messages, profileDir, log })

console.log(`\n${table(results)}\n\n${Math.round((Date.now() - began) / 1000)} s`)
if (options.json) writeJson(options.json, results, machine)
if (options["save-baseline"]) writeBaseline(baseline, results)
if (profileDir) {
  const { topFunctions } = await import("../bench/topFunctions.mjs")
  console.log(`\n${topFunctions(profileDir)}`)
}
if (options.check) {
  const worse = compare(baseline, results)
  for (const sentence of worse) console.error(`worse: ${sentence}`)
  if (worse.length > 0) process.exit(1)
  console.log("no ratio is more than 15 % worse than the baseline")
}
process.exit(0)
