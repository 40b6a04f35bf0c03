/**
 * A chat without anything around it: a question opens one request to the model, and each token of the answer is told
 * as one frame with the fields that ours has, between the same frames before and after. The bare servers of the
 * benchmark differ only in how they carry these frames.
 */
import { Agent, request as httpRequest } from "node:http"

const upstream = new URL(`${process.env.OPENAI_BASE_URL}/chat/completions`)
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

const bodyFor = (input) =>
  JSON.stringify({
    model: "bench",
    messages: [
      { role: "system", content: "Answer." },
      { role: "user", content: input }
    ],
    stream: true,
    stream_options: { include_usage: true }
  })

/** Calls back with the text of each event of an OpenAI-compatible stream. @param {(text: string) => void} onText */
const reader = (onText) => {
  let rest = ""
  return (part) => {
    rest += part
    let from = 0
    for (let at = rest.indexOf("\n\n"); at !== -1; at = rest.indexOf("\n\n", from)) {
      const data = rest.slice(from + 6, at)
      from = at + 2
      if (data === "[DONE]") continue
      const content = JSON.parse(data).choices[0]?.delta.content
      if (content) onText(content)
    }
    rest = rest.slice(from)
  }
}

/** @param {{ flowId: string, chatId: string, tell: (frame: object) => void }} options */
export const conversation = ({ flowId, chatId, tell }) => {
  let seq = 0
  /** @type {import("node:http").ClientRequest | null} */
  let active = null
  let runId = ""

  const send = (type, category, message = "") => {
    seq += 1
    tell({
      is_bot: true,
      message,
      type,
      category,
      intermediate_steps: null,
      files: null,
      user_id: null,
      message_id: null,
      source: 0,
      sender: null,
      receiver: null,
      liked: 0,
      extra: "{}",
      flow_id: flowId,
      chat_id: chatId,
      run_id: runId,
      seq
    })
  }

  const ask = (input) => {
    runId = crypto.randomUUID()
    send("begin", "processing")
    send("start", "processing")
    const body = bodyFor(input)
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    const request = httpRequest(upstream, { method: "POST", agent, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on(
        "data",
        reader((content) => {
          text += content
          send("stream", "processing", { content, reasoning_content: "" })
        })
      )
      response.on("end", () => {
        active = null
        send("end", "processing")
        send("start", "answer")
        send("end_cover", "answer", text)
        send("close", "processing")
      })
      response.on("error", failed)
    })
    // A request that was stopped says so as an error; any other ends the server, and with it the benchmark.
    const failed = (error) => {
      if (active === request) throw error
    }
    request.on("error", failed)
    request.end(body)
    active = request
  }

  const leave = () => {
    const request = active
    active = null
    request?.destroy()
  }

  const stop = () => {
    leave()
    send("end", "processing")
    send("close", "processing")
  }

  /** What the client said, as it says it to ours. @param {{ action?: string, inputs?: { input: string } }} said */
  const hear = (said) => {
    if (said.action === "stop") stop()
    else if (said.inputs) ask(said.inputs.input)
  }

  return { hear, leave, greet: () => send("info", "session") }
}
