/**
 * The AI SDK's wire: the user's message is posted as `useChat` posts it, and the answer comes as its stream of user
 * interface parts. The end of the response is the end of the answer.
 */
import { askForEvents } from "./eventStream.mjs"

/** @type {import("../Client.mjs").MakeWire} */
export const aiSdk = ({ base }, name, heard) => {
  let breakOff = () => undefined
  let serial = 0
  return {
    open: async () => undefined,
    ask: (question) => {
      serial += 1
      const message = {
        id: `${name}-m${serial}`,
        role: "user",
        parts: [{ type: "text", text: question }]
      }
      const body = { id: name, trigger: "submit-message", messages: [message] }
      breakOff = askForEvents(`${base}/api/chat`, body, heard, (_, data) => {
        if (data === "[DONE]") return
        const part = JSON.parse(data)
        if (part.type === "text-delta") heard.text(part.delta)
        else if (part.type === "error") heard.failed(part.errorText)
      })
    },
    stop: () => breakOff(),
    close: async () => breakOff()
  }
}
