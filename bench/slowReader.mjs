/**
 * A client that reads next to nothing: a process of its own that asks for a long answer over a WebSocket and takes 1 KB
 * of it a second from its connection.
 */
import { randomBytes } from "node:crypto"
import { connect } from "node:net"
import { endWithParent } from "./endWithParent.mjs"

endWithParent()

/** Bytes taken, so often. */
const sip = { bytes: 103, everyMillis: 100 }

/** @type {import("node:net").Socket | null} */
let socket = null
let taken = 0

/** A text frame of a client, masked with zeros. @param {string} text */
const masked = (text) => {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

/** @param {{ target: import("./Client.mjs").Target, question: string }} task */
const start = ({ target, question }) =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(target.base)
    const line = connect({ host: hostname, port: Number(port) })
    socket = line
    taken = 0
    line.on("error", reject)
    line.write(
      [
        `GET /api/v1/chat/${target.flowId}?chat_id=slow-${crypto.randomUUID()}&native=1&t=${target.token} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
        "\r\n"
      ].join("\r\n")
    )
    // What is read is the answer to the handshake: from then on it is taken in sips.
    line.once("readable", () => {
      line.read()
      line.write(masked(JSON.stringify({ inputs: { input: question } })))
      const timer = setInterval(() => {
        taken += line.read(sip.bytes)?.length ?? 0
      }, sip.everyMillis)
      line.on("close", () => clearInterval(timer))
      resolve({})
    })
  })

/** Answers how much it took, and whether it was still connected. */
const stop = async () => {
  const isConnected = socket !== null && !socket.destroyed
  socket?.destroy()
  return { taken, isConnected }
}

const commands = { start, stop }

process.on("message", async (message) => {
  try {
    process.send?.(await commands[message.do](message))
  } catch (error) {
    process.send?.({ failed: String(error) })
  }
})
console.log("slow reader ready")
