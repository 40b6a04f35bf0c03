/** Starts the benchmark's processes and sees to it that none is left behind. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set()

const killAll = () => {
  for (const child of children) child.kill("SIGKILL")
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
 * A Node program with a channel to it. It has started when a line of its output matches `ready`; what it prints
 * is shown when it fails.
 * @param {{ name: string, program: string, nodeFlags?: Array<string>, env?: Record<string, string>,
 *   ready: RegExp }} options
 */
export const start = async ({ name, program, nodeFlags = [], env = {}, ready }) => {
  const child = spawn(process.execPath, [...nodeFlags, program], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"]
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
    child.kill("SIGTERM")
    await within(exited, 10_000, `stopping ${name}`).catch(() => {
      child.kill("SIGKILL")
      return exited
    })
  }
  return { name, pid: child.pid ?? 0, match, request, stop, said }
}

/** @typedef {Awaited<ReturnType<typeof start>>} Process */
