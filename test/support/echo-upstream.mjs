/**
 * A model server that answers with what it was asked: `node test/support/echo-upstream.mjs` prints
 * `{"port":…}`. POST /v1/chat/completions streams the instruction and the last user message back, word by word, so that a test sees
 * whether an answer was built from its inputs. Ends with its parent.
 */
import { createServer } from "node:http"

const chunk = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-echo",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "echo",
    choices: [{ index: 0, delta, finish_reason }]
  })}\n\n`

const server = createServer((request, response) => {
  let body = ""
  request.on("data", (part) => {
    body += part
  })
  request.on("end", () => {
    const { messages, stream } = JSON.parse(body)
    const instructed = messages.findLast(({ role }) => role === "system")?.content ?? ""
    const said = messages.findLast(({ role }) => role === "user")?.content ?? ""
    const text = `Told: ${instructed.slice(-2_000)}\nAsked: ${said}`
    if (!stream) {
      response.setHeader("content-type", "application/json")
      const choices = [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }]
      return response.end(JSON.stringify({ id: "chatcmpl-echo", object: "chat.completion", choices }))
    }
    response.setHeader("content-type", "text/event-stream")
    for (const word of text.split(/(?<=\s)/)) response.write(chunk({ content: word }))
    response.end(`${chunk({}, "stop")}data: [DONE]\n\n`)
  })
})

server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })))
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
