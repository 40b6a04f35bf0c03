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

/** What is left to end and to remove when this process ends before it could do so in order. */
const running = new Set()
const folders = new Set()

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL")
  for (const folder of folders) {
    try {
      folder.remove()
    } catch (error) {
      console.error(error.message)
    }
  }
})

/** A folder that is gone when this process is, or before, by `remove`. */
export const temporaryFolder = (name) => {
  const path = mkdtempSync(join(tmpdir(), `colloquy-${name}-`))
  const folder = {
    path,
    remove: () => {
      folders.delete(folder)
      rmSync(path, { recursive: true, force: true, maxRetries: 10 })
    }
  }
  folders.add(folder)
  return folder
}

/**
 * Starts a program that works in `folder`, and waits until its port answers. Answers its process and `stop`, which
 * removes the folder too.
 */
export const startDaemon = async ({ name, program, args, port, hello, folder }) => {
  // In a group of its own: Ctrl-C is for us, who then stop it in order.
  const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  let ended = null
  const listen = (chunk) => {
    said = (said + chunk).slice(-4000)
  }
  child.stdout.on("data", listen)
  child.stderr.on("data", listen)
  running.add(child)
  const exit = new Promise((resolve) => {
    const end = (how) => {
      ended = how
      running.delete(child)
      resolve()
    }
    child.once("error", (error) => end(error.message))
    child.once("exit", (code, signal) => end(`ended with ${code ?? signal}`))
  })

  const stop = async () => {
    if (ended === null) {
      child.kill("SIGTERM")
      await Promise.race([exit, pause(graceful)])
    }
    if (ended === null) child.kill("SIGKILL")
    await exit
    folder.remove()
  }

  const deadline = Date.now() + readyWithin
  while (!(await answers(port, hello))) {
    if (ended !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`${name} did not start: ${ended ?? "no answer"}\n${said}`)
    }
    await pause(20)
  }
  return { pid: child.pid, stop }
}
