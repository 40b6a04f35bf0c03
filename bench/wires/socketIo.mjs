/**
 * Socket.IO's wire over its WebSocket transport, spoken directly so that what a client costs is the same for every
 * server: Engine.IO's packet type, then Socket.IO's, then JSON. The frames inside are ours.
 * With recovery on, each event carries the offset to resume from as its last argument.
 */
import { frameReader } from "./colloquy.mjs"
import { webSocket } from "./webSocket.mjs"

const engine = { open: "0", ping: "2" }
const packet = { connect: "40", disconnected: "41", event: "42", refused: "44" }
const pong = "3"

/** @type {import("../Client.mjs").MakeWire} */
export const socketIo = ({ base, flowId }, name, heard) => {
  const read = frameReader(heard)
  const socket = webSocket(
    () => `${base}/socket.io/?EIO=4&transport=websocket`,
    heard,
    (data, ws) => {
      const text = data.toString()
      if (text.startsWith(packet.event)) {
        heard.frame(data.length)
        read(JSON.parse(text.slice(2))[1])
        return false
      }
      if (text[0] === engine.ping) ws.send(pong)
      else if (text[0] === engine.open) {
        ws.send(`${packet.connect}${JSON.stringify({ flow_id: flowId, chat_id: name })}`)
      } else if (text.startsWith(packet.refused) || text.startsWith(packet.disconnected)) heard.failed(text)
      return text.startsWith(packet.connect)
    }
  )
  const emit = (said) => socket.send(`${packet.event}${JSON.stringify(["say", said])}`)
  return {
    open: socket.open,
    ask: (question) => emit({ inputs: { input: question } }),
    stop: () => emit({ action: "stop" }),
    close: socket.close
  }
}
