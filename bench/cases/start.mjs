/**
 * What it takes to be there: from `npm start` (built) to the line that tells the address, and the memory of the
 * server half a minute later, when nobody has come. The default storage; a new database each time.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { processTree, residentBytes } from "../proc.mjs"
import { start as startProcess } from "../processes.mjs"
import { modelAt } from "../servers.mjs"
import { median } from "../statistics.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const ready = /http:\/\/127\.0\.0\.1:(\d+)/
/** Until what starting needed has been cleared away. */
const restMs = 30_000

const timed = async (options) => {
  const began = performance.now()
  const process = await startProcess({ ...options, ready })
  return { process, ms: performance.now() - began }
}

/** Of a server that others start, it is the last of them. */
const residentMegabytes = ({ pid }) => residentBytes(processTree(pid).at(-1) ?? pid) / 1024 ** 2

export const start = {
  name: "start",
  description: "npm start to ready, and memory at rest",
  servers: [],

  /** @param {import("../run.mjs").Bench} bench */
  async run({ load, rounds, log, report }) {
    const folders = []
    const seen = { ours: [], floor: [] }
    try {
      for (let round = 0; round < rounds; round++) {
        const data = mkdtempSync(join(tmpdir(), "colloquy-bench-"))
        folders.push(data)
        const ours = await timed({
          name: "npm start",
          interpreter: "npm",
          program: "start",
          cwd: root,
          env: { HOST: "127.0.0.1", PORT: "0", DATA_DIR: data }
        })
        const floor = await timed({
          name: "bare ws",
          program: join(root, "bench", "floor.mjs"),
          env: modelAt({ upstreamPort: Number(load.upstream.match[1]) })
        })
        log(`  ours ready after ${Math.round(ours.ms)} ms, bare ws after ${Math.round(floor.ms)} ms`)
        seen.ours.push(ours)
        seen.floor.push(floor)
      }
      await new Promise((resolve) => setTimeout(resolve, restMs))
      const pick = (kind, what) => median(seen[kind].map(what))
      const of = (name, unit, what) =>
        report({
          name,
          class: "sqlite",
          concurrency: 0,
          unit,
          ours: pick("ours", what),
          floor: pick("floor", what)
        })
      of("start to ready", "ms", ({ ms }) => ms)
      of("memory at rest", "MB", ({ process }) => residentMegabytes(process))
    } finally {
      await Promise.all([...seen.ours, ...seen.floor].map(({ process }) => process.stop()))
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    }
  }
}
