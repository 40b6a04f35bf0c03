/**
 * The servers that are compared. Each is started in a process of its own on a free port of 127.0.0.1, answers
 * from the same upstream, and serves the same clients. Another server joins by one more entry.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { start } from "./processes.mjs"
import { freshDatabase } from "./services.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const probe = ["--expose-gc", "--import", join(here, "probe.mjs")]
/** What `npm start` tells Node. */
const asStarted = JSON.parse(readFileSync(join(here, "..", "package.json"), "utf8"))
  .scripts.start.split(" ")
  .filter((word) => word.startsWith("--"))
const address = /http:\/\/127\.0\.0\.1:(\d+)/

/**
 * @typedef {{ name: string, class: string, process: import("./processes.mjs").Process,
 *   pids?: ReadonlyArray<number>, look?: () => Promise<Record<string, number>>,
 *   target: import("./Client.mjs").Target, stop: () => Promise<void> }} Server
 * @typedef {{ upstreamPort: number, services: import("./services.mjs").Services, profileDir?: string | undefined }} Options
 */

/** @param {Options} options */
export const modelAt = ({ upstreamPort }) => ({
  OPENAI_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
  OPENAI_API_KEY: "bench",
  OPENAI_MODEL: "bench"
})

const profiling = ({ profileDir }) => (profileDir ? ["--cpu-prof", "--cpu-prof-dir", profileDir] : [])

/** @param {string} name @param {Record<string, string>} [how] @returns {(options: Options) => Promise<Server>} */
const bare = (name, how) => async (options) => {
  const process = await start({
    name: `bare ws (${name})`,
    program: join(here, "floor.mjs"),
    nodeFlags: probe,
    env: { ...modelAt(options), ...how },
    ready: address
  })
  const target = {
    wire: "colloquy",
    base: `ws://127.0.0.1:${process.match[1]}`,
    flowId: "0".repeat(32),
    token: "none"
  }
  return { name, class: "floor", process, target, stop: process.stop }
}

/**
 * One of ours, or several that share everything.
 * @param {string} kind
 * @param {{ storage: (options: Options) => Promise<{ url: string, drop: () => Promise<unknown> }>,
 *   redis?: (options: Options) => string, nodes?: number }} how `storage`: the DATABASE_URL, and how to be rid of what
 *   is there
 * @returns {(options: Options) => Promise<Server>}
 */
const ours =
  (kind, { storage, redis = () => "", nodes = 1 }) =>
  async (options) => {
    const database = await storage(options)
    const dataDir = mkdtempSync(join(tmpdir(), "colloquy-bench-"))
    const removeData = () => rmSync(dataDir, { recursive: true, force: true })
    globalThis.process.on("exit", removeData)
    const started = []
    for (let i = 1; i <= nodes; i++) {
      started.push(
        await start({
          name: `colloquy (${kind})`,
          program: join(here, "..", "dist", "main.js"),
          nodeFlags: [...probe, ...asStarted, ...profiling(options)],
          env: {
            HOST: "127.0.0.1",
            PORT: "0",
            NODE_ID: `node-${i}`,
            DATA_DIR: dataDir,
            DATABASE_URL: database.url,
            REDIS_URL: redis(options),
            GUEST_ACCESS: "true",
            MAX_CONNECTIONS: "20000",
            MAX_RUNS: "10000",
            ...modelAt(options)
          },
          ready: address
        })
      )
    }
    const [process, other] = started
    const portOf = ({ match }) => match[1]
    const target = await openApp(`http://127.0.0.1:${portOf(process)}`)
    target.places = started.map((one) => ({ base: `ws://127.0.0.1:${portOf(one)}` }))
    if (other) target.stopBase = `ws://127.0.0.1:${portOf(other)}`
    const stop = async () => {
      await Promise.all(started.map((one) => one.stop()))
      await database.drop()
      globalThis.process.off("exit", removeData)
      removeData()
    }
    return { name: kind, class: kind, process, pids: started.map(({ pid }) => pid), target, stop }
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
  return { wire: "colloquy", base: base.replace("http:", "ws:"), flowId: id, token }
}

const nothing = async () => undefined

const shared = {
  storage: ({ services }) => freshDatabase(services.mysqlUrl),
  redis: ({ services }) => services.redisUrl
}

/** Ours so many times, side by side on the same services, and nothing to do with each other. @param {number} count */
const strangers = (count) => async (options) => {
  const all = []
  for (let i = 1; i <= count; i++) {
    const redis = ({ services }) => `${services.redisUrl}?prefix=stranger-${i}:`
    all.push(await ours(`stranger ${i}`, { ...shared, redis })(options))
  }
  const places = all.map(({ target: { base, flowId, token } }) => ({ base, flowId, token }))
  const [{ process, target }] = all
  const stop = () => Promise.all(all.map((one) => one.stop()))
  const pids = all.flatMap((one) => one.pids)
  return { name: "strangers", class: "strangers", process, pids, target: { ...target, places }, stop }
}

/** So many nodes on one Redis and one database, and as many that share nothing. @param {number} count */
const severalOf = (count) => ({
  [`node${count}`]: ours(`node${count}`, { ...shared, nodes: count }),
  [`stranger${count}`]: strangers(count)
})

/** By name; `floor` is what the others are divided by. */
export const servers = {
  floor: bare("floor"),
  corked: bare("corked", { CORKED: "1" }),
  memory: ours("memory", { storage: async () => ({ url: "memory:", drop: nothing }) }),
  sqlite: ours("sqlite", { storage: async () => ({ url: "", drop: nothing }) }),
  durable: ours("durable", shared),
  pair: ours("pair", { ...shared, nodes: 2 }),
  ...severalOf(1),
  ...severalOf(2),
  ...severalOf(3),
  ...severalOf(4)
}

/** Those whose needs are there. @param {import("./services.mjs").Services} services */
export const available = ({ mysqlUrl, redisUrl }) =>
  Object.keys(servers).filter(
    (name) => ["floor", "memory", "sqlite"].includes(name) || (mysqlUrl && redisUrl)
  )
