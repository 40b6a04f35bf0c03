/**
 * LangGraph's wire: a session is a thread, a question a run on it, its answer the run's events in `messages-tuple`
 * mode: the message chunk and what is known about it. The end of the response is the end of the answer.
 */
import { askForEvents } from "./eventStream.mjs"

const createThread = async (base) => {
  const response = await fetch(`${base}/threads`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}"
  })
  if (!response.ok) throw new Error(`POST /threads: ${response.status} ${await response.text()}`)
  const { thread_id } = await response.json()
  return thread_id
}

/** @type {import("../Client.mjs").MakeWire} */
export const langGraph = ({ base, flowId }, _, heard) => {
  let thread = ""
  let breakOff = () => undefined
  const onEvent = (event, data) => {
    if (event === "error") heard.failed(data)
    if (event !== "messages") return
    const [chunk] = JSON.parse(data)
    if (chunk.content) heard.text(chunk.content)
  }
  return {
    open: async () => {
      thread = await createThread(base)
    },
    ask: (question) => {
      const body = {
        assistant_id: flowId,
        input: { messages: [{ role: "user", content: question }] },
        stream_mode: ["messages-tuple"],
        on_disconnect: "cancel"
      }
      breakOff = askForEvents(`${base}/threads/${thread}/runs/stream`, body, heard, onEvent)
    },
    stop: () => breakOff(),
    close: async () => breakOff()
  }
}
