/** Our wire, which the floor speaks too: one JSON text a frame. See docs/protocol.md. */
import { webSocket } from "./webSocket.mjs"

/** @param {import("../Client.mjs").Heard} heard */
export const frameReader = (heard) => (frame) => {
  if (frame.type === "stream") {
    if (frame.message?.content) heard.text(frame.message.content)
    return
  }
  if (frame.category === "error") heard.failed(JSON.stringify(frame.message))
  if (frame.type === "close") heard.ended()
}

/** @type {import("../Client.mjs").MakeWire} */
export const colloquy = ({ base, flowId, token }, name, heard) => {
  const read = frameReader(heard)
  const socket = webSocket(
    `${base}/api/v1/chat/${flowId}?chat_id=${name}&native=1&t=${token}`,
    heard,
    (data) => {
      heard.frame(data.length)
      read(JSON.parse(data.toString()))
      return true
    }
  )
  return {
    open: socket.open,
    ask: (question) => socket.send(JSON.stringify({ inputs: { input: question } })),
    stop: () => socket.send('{"action":"stop"}'),
    close: socket.close
  }
}
