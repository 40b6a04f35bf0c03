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

/** Short text frames as whole ones: `[ref, seq, text]` is the frame that bore the ref, with another text. */
const expander = () => {
  /** By ref, where the text is. */
  const places = new Map()
  return (said) => {
    if (Array.isArray(said)) {
      const [ref, seq, text] = said
      return { type: "stream", message: { [places.get(ref)]: text }, seq }
    }
    if (said.ref !== undefined) places.set(said.ref, said.message.content ? "content" : "reasoning_content")
    return said
  }
}

/** @type {import("../Client.mjs").MakeWire} */
export const colloquy = ({ base, flowId, token, brief = false }, name, heard) => {
  const read = frameReader(heard)
  const whole = expander()
  /** Where to go on from, as the last frames told it. */
  let epoch = ""
  let seq = 0
  let recovered = false
  const resume = () => (epoch === "" ? "" : `&epoch=${epoch}&last_seq=${seq}`)
  const form = brief ? "&brief=1" : ""
  const socket = webSocket(
    () => `${base}/api/v1/chat/${flowId}?chat_id=${name}&native=1${form}&t=${token}${resume()}`,
    heard,
    (data) => {
      heard.frame(data.length)
      const frame = whole(JSON.parse(data.toString()))
      if (frame.seq !== undefined) seq = frame.seq
      // The floor tells no place: there is nothing to resume.
      if (frame.category === "session" && frame.message !== "") {
        epoch = frame.message.epoch
        seq = frame.message.seq
        recovered = frame.message.recovered
      }
      read(frame)
      return true
    }
  )
  return {
    open: socket.open,
    ask: (question) => socket.send(JSON.stringify({ inputs: { input: question } })),
    stop: () => socket.send('{"action":"stop"}'),
    cut: () => {
      recovered = false
      socket.cut()
    },
    recovered: () => recovered,
    close: socket.close
  }
}
