/**
 * The servers that are compared. Each is started in a process of its own on a free port of 127.0.0.1, answers
 * from the same upstream, and serves the same clients. Another server joins by one more entry.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { start } from "./processes.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const probe = ["--expose-gc", "--import", join(here, "probe.mjs")]
const address = /http:\/\/127\.0\.0\.1:(\d+)/

/**
 * @typedef {{ name: string, class: string, process: import("./processes.mjs").Process,
 *   target: import("./Client.mjs").Target, stop: () => Promise<void> }} Server
 * @typedef {{ upstreamPort: number, profileDir?: string | undefined }} Options
 */

/** @param {Options} options */
const modelAt = ({ upstreamPort }) => ({
  OPENAI_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
  OPENAI_API_KEY: "bench",
  OPENAI_MODEL: "bench"
})

const profiling = ({ profileDir }) => (profileDir ? ["--cpu-prof", "--cpu-prof-dir", profileDir] : [])

/** @param {Options} options @returns {Promise<Server>} */
const floor = async (options) => {
  const process = await start({
    name: "bare ws",
    program: join(here, "floor.mjs"),
    nodeFlags: probe,
    env: modelAt(options),
    ready: address
  })
  const target = { base: `ws://127.0.0.1:${process.match[1]}`, flowId: "0".repeat(32), token: "none" }
  return { name: "floor", class: "floor", process, target, stop: process.stop }
}

/** @param {string} kind @param {() => Record<string, string>} storage @returns {(options: Options) => Promise<Server>} */
const ours = (kind, storage) => async (options) => {
  const dataDir = mkdtempSync(join(tmpdir(), "colloquy-bench-"))
  const removeData = () => rmSync(dataDir, { recursive: true, force: true })
  globalThis.process.on("exit", removeData)
  const process = await start({
    name: `colloquy (${kind})`,
    program: join(here, "..", "dist", "main.js"),
    nodeFlags: [...probe, ...profiling(options)],
    env: {
      HOST: "127.0.0.1",
      PORT: "0",
      DATA_DIR: dataDir,
      DATABASE_URL: "",
      REDIS_URL: "",
      GUEST_ACCESS: "true",
      MAX_CONNECTIONS: "20000",
      MAX_RUNS: "10000",
      ...modelAt(options),
      ...storage()
    },
    ready: address
  })
  const target = await openApp(`http://127.0.0.1:${process.match[1]}`)
  const stop = async () => {
    await process.stop()
    removeData()
  }
  return { name: kind, class: kind, process, target, stop }
}

/** Signs in a guest who makes an assistant and puts it online. @param {string} base */
const openApp = async (base) => {
  const call = async (path, body, token) => {
    const response = await fetch(`${base}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body)
    })
    const answer = await response.text()
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${answer.slice(0, 300)}`)
    const envelope = JSON.parse(answer)
    if (envelope.status_code !== 200) throw new Error(`POST ${path}: ${answer.slice(0, 300)}`)
    return envelope.data
  }
  const { access_token: token } = await call("/user/guest", {})
  const { id } = await call("/assistant", { name: "Bench", prompt: "Answer.", tools: [] }, token)
  await call("/assistant/status", { id, status: 2 }, token)
  return { base: base.replace("http:", "ws:"), flowId: id, token }
}

const mysqlUrl = process.env.TEST_MYSQL_URL

/** By name; `floor` is what the others are divided by. A server whose needs are not there is absent. */
export const servers = {
  floor,
  memory: ours("memory", () => ({ DATABASE_URL: "memory:" })),
  sqlite: ours("sqlite", () => ({})),
  ...(mysqlUrl && { durable: ours("durable", () => ({ DATABASE_URL: mysqlUrl })) })
}
