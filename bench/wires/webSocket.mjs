/** What the wires over WebSocket have in common: opening, saying why it closed, closing in time, being cut off. */
import { WebSocket } from "ws"

/**
 * `onMessage` answers whether the session is open now. Whatever ends the socket ends the answer in progress.
 * @param {() => string} url asked for each time it opens @param {import("../Client.mjs").Heard} heard
 * @param {(data: Buffer, ws: WebSocket) => boolean} onMessage
 */
export const webSocket = (url, heard, onMessage) => {
  /** @type {WebSocket | null} */
  let ws = null
  return {
    /** @returns {Promise<void>} */
    open: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url(), { perMessageDeflate: false })
        ws = socket
        socket.on("error", reject)
        socket.on("unexpected-response", (_, response) =>
          reject(new Error(`refused with ${response.statusCode}`))
        )
        socket.on("close", (code, reason) => {
          reject(new Error(`closed with ${code} ${reason}`))
          if (ws === socket && code !== 1000) heard.failed(`closed with ${code} ${reason}`)
          heard.ended()
        })
        socket.on("message", (data) => {
          if (onMessage(data, socket)) resolve()
        })
      }),
    /** @param {string} text */
    send: (text) => ws?.send(text),
    /** The connection is gone without a word, as when a network goes; it may be opened again. */
    cut: () => {
      const socket = ws
      ws = null
      socket?.terminate()
    },
    /** @returns {Promise<void>} */
    close: () =>
      new Promise((resolve) => {
        const socket = ws
        if (socket === null || socket.readyState === socket.CLOSED) return resolve()
        socket.on("close", () => resolve())
        socket.close(1000)
        setTimeout(() => socket.terminate(), 2_000).unref()
      })
  }
}
