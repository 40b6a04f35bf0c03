/**
 * The floor: the least that `ws` and Node need for the same work. A question opens the same upstream request;
 * each token of it is sent as one JSON frame of the shape ours has, between the same frames before and after.
 * No sign-in, no database, no history, no resume, no limits; nothing is corked or merged.
 */
import { Agent, createServer, request as httpRequest } from "node:http"
import { WebSocketServer } from "ws"

const upstream = new URL(`${process.env.OPENAI_BASE_URL}/chat/completions`)
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 * 1024 })

/** @param {import("ws").WebSocket} ws @param {string} flowId @param {string} chatId */
const converse = (ws, flowId, chatId) => {
  let seq = 0
  /** @type {import("node:http").ClientRequest | null} */
  let active = null
  let runId = ""
  const send = (type, category, message = "", more = {}) => {
    ws.send(
      JSON.stringify({
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
        ...more,
        run_id: runId,
        seq: ++seq
      })
    )
  }

  const ask = (input) => {
    runId = crypto.randomUUID()
    send("begin", "processing")
    send("start", "processing")
    const body = JSON.stringify({
      model: "bench",
      messages: [
        { role: "system", content: "Answer." },
        { role: "user", content: input }
      ],
      stream: true,
      stream_options: { include_usage: true }
    })
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    const request = httpRequest(upstream, { method: "POST", agent, headers }, (response) => {
      let text = ""
      let rest = ""
      response.setEncoding("utf8")
      response.on("data", (part) => {
        rest += part
        let from = 0
        for (let at = rest.indexOf("\n\n"); at !== -1; at = rest.indexOf("\n\n", from)) {
          const data = rest.slice(from + 6, at)
          from = at + 2
          if (data === "[DONE]") continue
          const content = JSON.parse(data).choices[0]?.delta.content
          if (!content) continue
          text += content
          send("stream", "processing", { content, reasoning_content: "" })
        }
        rest = rest.slice(from)
      })
      response.on("end", () => {
        active = null
        send("end", "processing")
        send("start", "answer")
        send("end_cover", "answer", text)
        send("close", "processing")
      })
      response.on("error", () => undefined)
    })
    request.on("error", () => undefined)
    request.end(body)
    active = request
  }

  const stop = () => {
    active?.destroy()
    active = null
    send("end", "processing")
    send("close", "processing")
  }

  ws.on("message", (data) => {
    const payload = JSON.parse(data.toString())
    if (payload.action === "stop") stop()
    else ask(payload.inputs.input)
  })
  ws.on("close", () => active?.destroy())
  send("info", "session")
}

const server = createServer()
server.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url ?? "", "http://localhost")
  wss.handleUpgrade(request, socket, head, (ws) =>
    converse(ws, url.pathname.split("/").at(-1) ?? "", url.searchParams.get("chat_id") ?? "")
  )
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
  console.log(`http://127.0.0.1:${server.address().port}`)
)
