/** Starts the benchmark's processes and sees to it that none is left behind. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set()

/** Each leads a group of its own: a server that starts processes takes them along when it goes. */
const signalGroup = (child, signal) => {
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // The last of the group has ended.
    if (error.code !== "ESRCH") throw error
  }
}

const killAll = () => {
  for (const child of children) signalGroup(child, "SIGKILL")
}
process.on("exit", killAll)
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => process.exit(130))
}

/** @template T @param {Promise<T>} promise @param {number} ms @param {string} what @returns {Promise<T>} */
export const within = (promise, ms, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1000} s`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/**
 * A Node program with a channel to it, or one of another interpreter, which has only a standard input that ends with
 * us. It has started when a line of its output matches `ready`; what it prints is shown when it fails.
 * @param {{ name: string, program: string, args?: Array<string>, interpreter?: string, nodeFlags?: Array<string>,
 *   cwd?: string, env?: Record<string, string>, ready: RegExp }} options
 */
export const start = async ({
  name,
  program,
  args = [],
  interpreter,
  nodeFlags = [],
  cwd,
  env = {},
  ready
}) => {
  const child = spawn(interpreter ?? process.execPath, [...nodeFlags, program, ...args], {
    env: { ...process.env, ...env },
    detached: true,
    ...(cwd && { cwd }),
    stdio: interpreter ? ["pipe", "pipe", "pipe"] : ["ignore", "pipe", "pipe", "ipc"]
  })
  children.add(child)
  const said = []
  const exited = new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      children.delete(child)
      resolve(signal ?? code)
    })
  })
  const keep = (line) => {
    said.push(line)
    if (said.length > 40) said.shift()
  }
  createInterface({ input: child.stderr }).on("line", keep)
  const match = await within(
    new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        keep(line)
        const found = ready.exec(line)
        if (found) resolve(found)
      })
      exited.then((how) =>
        reject(new Error(`${name} ended (${how}) before it was ready:\n${said.join("\n")}`))
      )
    }),
    60_000,
    `starting ${name}`
  )
  let stopping = false
  exited.then((how) => {
    if (stopping) return
    console.error(`${name} ended (${how}) during the benchmark:\n${said.join("\n")}`)
    process.exit(1)
  })

  /** Sends a message and waits for the next one back. @param {unknown} message */
  const request = (message, timeoutMs = 60_000) =>
    within(
      new Promise((resolve) => {
        child.once("message", resolve)
        child.send(message)
      }),
      timeoutMs,
      `${name}: ${typeof message === "string" ? message : message.do}`
    )

  /** Ends it the polite way, and the other way after ten seconds. */
  const stop = async () => {
    stopping = true
    signalGroup(child, "SIGTERM")
    await within(exited, 10_000, `stopping ${name}`).catch(() => undefined)
    signalGroup(child, "SIGKILL")
    await exited
  }
  return { name, pid: child.pid ?? 0, match, request, stop, said }
}

/** @typedef {Awaited<ReturnType<typeof start>>} Process */
