/**
 * The peers: servers of other makes that stream answers of a language model, each set up as its documentation has it,
 * in processes of its own, on the same upstream as ours.
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../../scripts/services/daemon.mjs"
import { sleep } from "../clock.mjs"
import { start, within } from "../processes.mjs"
import { modelAt } from "../servers.mjs"
import { here, nodePackages, python } from "./install.mjs"
import { Unavailable } from "./Unavailable.mjs"

const address = /http:\/\/127\.0\.0\.1:(\d+)/
const flowId = "0".repeat(32)
const probe = ["--expose-gc", "--import", join(here, "..", "probe.mjs")]

/** More than any case asks at once: a peer's pool of workers is never what it waits for. */
const workers = 128

/**
 * @typedef {import("../servers.mjs").Options & { log: (line: string) => void }} PeerOptions
 * @typedef {import("../servers.mjs").Server} Server
 */

/** @param {string | null} url @param {string} what @returns {string} */
const needed = (url, what) => {
  if (url === null) throw new Unavailable(`it needs ${what}`)
  return url
}

/** A Node program of ours around a peer's library. @param {{ name: string, folder: string, wire: string, scheme: string }} peer */
const onNode =
  ({ name, folder, wire, scheme }) =>
  /** @param {PeerOptions} options @returns {Promise<Server>} */
  async (options) => {
    nodePackages(options.log)
    const process = await start({
      name,
      program: join(here, folder, "server.mjs"),
      nodeFlags: probe,
      env: {
        ...modelAt(options),
        REDIS_URL: needed(options.services.redisUrl, "Redis"),
        NODE_ENV: "production"
      },
      ready: address
    })
    const target = { wire, base: `${scheme}://127.0.0.1:${process.match[1]}`, flowId, token: "" }
    return { name, class: name, process, target, stop: process.stop }
  }

/** @param {PeerOptions} options @returns {Promise<Server>} */
const fastApi = async (options) => {
  const process = await start({
    name: "FastAPI",
    interpreter: python(),
    program: join(here, "fastApi", "server.py"),
    env: {
      ...modelAt(options),
      MYSQL_URL: needed(options.services.mysqlUrl, "MariaDB or MySQL"),
      WORKERS: String(workers)
    },
    ready: address
  })
  const target = { wire: "colloquy", base: `ws://127.0.0.1:${process.match[1]}`, flowId, token: "" }
  return { name: "fastapi", class: "fastapi", process, target, stop: process.stop }
}

/** Resolves when the server answers. @param {string} url */
const answering = async (url) => {
  for (;;) {
    // Refused until it listens.
    const response = await fetch(url).catch(() => null)
    if (response?.ok) return
    await sleep(100)
  }
}

/**
 * `langgraphjs dev`, the server of LangGraph that can be had without an account. It writes what it keeps beside its
 * configuration, and looks for a graph's packages there; so that is a folder of its own, with our packages.
 * @param {PeerOptions} options @returns {Promise<Server>}
 */
const langGraph = async (options) => {
  nodePackages(options.log)
  const folder = mkdtempSync(join(tmpdir(), "colloquy-bench-langgraph-"))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  globalThis.process.on("exit", removeFolder)
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"))
  const graphs = { bench: `${join(here, "langGraph", "graph.mjs")}:graph` }
  writeFileSync(join(folder, "langgraph.json"), JSON.stringify({ node_version: "20", graphs, env: {} }))
  const port = await freePort()
  const process = await start({
    name: "langgraphjs dev",
    program: join(here, "node_modules", "@langchain", "langgraph-cli", "dist", "cli", "cli.mjs"),
    nodeFlags: probe,
    args: ["dev", "--host", "127.0.0.1", "--port", String(port), "--no-browser"].concat(
      "--n-jobs-per-worker",
      String(workers)
    ),
    cwd: folder,
    env: {
      ...modelAt(options),
      LANGGRAPH_CLI_NO_ANALYTICS: "1",
      LANGSMITH_TRACING: "false",
      LANGCHAIN_TRACING_V2: "false",
      BROWSER: "none",
      // A line for each run would be its own cost, and none of the others write one.
      LOG_LEVEL: "warn"
    },
    ready: address
  })
  const base = `http://127.0.0.1:${port}`
  await within(answering(`${base}/ok`), 60_000, "starting langgraphjs dev")
  const stop = async () => {
    await process.stop()
    removeFolder()
  }
  const target = { wire: "langGraph", base, flowId: "bench", token: "" }
  return { name: "langgraph", class: "langgraph", process, target, stop }
}

/** By name, as `--peer` and the results have it. @type {Record<string, (options: PeerOptions) => Promise<Server>>} */
export const peers = {
  "socket.io": onNode({ name: "socket.io", folder: "socketIo", wire: "socketIo", scheme: "ws" }),
  "ai-sdk": onNode({ name: "ai-sdk", folder: "aiSdk", wire: "aiSdk", scheme: "http" }),
  langgraph: langGraph,
  fastapi: fastApi
}
