/** One of our servers on a database of the history case, asked by anybody: the case signs its users in itself. */
import { createSecretKey } from "node:crypto"
import { Agent, get } from "node:http"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { SignJWT } from "jose"
import { start } from "../processes.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const secret = "the history case signs in whom it likes"
const key = createSecretKey(secret, "utf8")
/** A database with millions of rows is migrated as quickly as an empty one, as nothing is left to do. */
const ready = /http:\/\/127\.0\.0\.1:(\d+)/

const tokenOf = (user) =>
  new SignJWT({})
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(JSON.stringify({ user_id: user, user_name: `user ${user}` }))
    .setIssuedAt()
    .setExpirationTime("1d")
    .sign(key)

/**
 * @typedef {{ process: import("../processes.mjs").Process, ask: (page: import("./pages.mjs").Page) => Promise<number>,
 *   stop: () => Promise<void> }} Asked `ask` answers how many rows came
 */

/** @param {{ dataDir: string, url: string }} database @returns {Promise<Asked>} */
export const serve = async ({ dataDir, url }) => {
  const process = await start({
    name: "colloquy (history)",
    program: join(here, "..", "..", "dist", "main.js"),
    nodeFlags: ["--import", join(here, "..", "probe.mjs"), "--import", join(here, "record.mjs")],
    env: {
      HOST: "127.0.0.1",
      PORT: "0",
      DATA_DIR: dataDir,
      DATABASE_URL: url,
      REDIS_URL: "",
      AUTH_SECRET: secret
    },
    ready
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const tokens = new Map()

  const ask = async ({ user, path }) => {
    if (!tokens.has(user)) tokens.set(user, await tokenOf(user))
    const headers = { authorization: `Bearer ${tokens.get(user)}` }
    const { status, text } = await new Promise((resolve, reject) => {
      get(`http://127.0.0.1:${process.match[1]}/api/v1${path}`, { agent, headers }, (response) => {
        const parts = []
        response.on("data", (part) => parts.push(part))
        response.on("end", () =>
          resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() })
        )
        response.on("error", reject)
      }).on("error", reject)
    })
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text.slice(0, 300)}`)
    return JSON.parse(text).data.length
  }

  const stop = async () => {
    agent.destroy()
    await process.stop()
  }
  return { process, ask, stop }
}
