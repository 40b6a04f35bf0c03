/** A server process of our own: a folder and a port that nobody else has, gone when it is stopped. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const readyWithin = 60_000
const graceful = 5_000

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Connects, says `hello`, and answers whether something came back. */
const answers = (port, hello) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const end = (ok) => {
      socket.destroy()
      resolve(ok)
    }
    socket.setTimeout(1000, () => end(false))
    socket.once("connect", () => socket.write(hello))
    socket.once("data", () => end(true))
    socket.once("error", () => end(false))
    socket.once("close", () => end(false))
  })

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export const temporaryFolder = (name) => mkdtempSync(join(tmpdir(), `colloquy-${name}-`))

/**
 * Starts a program and waits until its port answers. `remove` is its folder. Answers `stop`, and `kill` for
 * the case that there is no time to wait.
 */
export const startDaemon = async ({ name, program, args, port, hello, remove }) => {
  // In a group of its own: Ctrl-C is for us, who then stop it in order.
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  let ended = null
  const listen = (chunk) => {
    said = (said + chunk).slice(-4000)
  }
  child.stdout.on("data", listen)
  child.stderr.on("data", listen)
  const exit = new Promise((resolve) => {
    const end = (how) => {
      ended = how
      resolve()
    }
    child.once("error", (error) => end(error.message))
    child.once("exit", (code, signal) => end(`ended with ${code ?? signal}`))
  })

  const kill = () => {
    if (ended === null) child.kill("SIGKILL")
    rmSync(remove, { recursive: true, force: true, maxRetries: 5 })
  }

  const stop = async () => {
    if (ended === null) {
      child.kill("SIGTERM")
      await Promise.race([exit, pause(graceful)])
    }
    if (ended === null) {
      child.kill("SIGKILL")
      await exit
    }
    kill()
  }

  const deadline = Date.now() + readyWithin
  while (!(await answers(port, hello))) {
    if (ended !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`${name} did not start: ${ended ?? "no answer"}\n${said}`)
    }
    await pause(20)
  }
  return { stop, kill }
}
