/** A private Redis that writes nothing to disk, on 127.0.0.1 only. */
import { freePort, startDaemon, temporaryFolder } from "./daemon.mjs"
import { findProgram } from "./programs.mjs"

export const debianPackage = "redis-server"

const server = () => findProgram("redis-server", "valkey-server")

export const isHere = () => server() !== null

/** Answers its address, and how to stop it. */
export const start = async () => {
  const port = await freePort()
  const folder = temporaryFolder("redis")
  const daemon = await startDaemon({
    name: "Redis",
    program: server(),
    args: [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder.path,
      "--save",
      "",
      "--appendonly",
      "no"
    ],
    port,
    hello: "PING\r\n",
    folder
  })
  return { url: `redis://127.0.0.1:${port}`, ...daemon }
}
