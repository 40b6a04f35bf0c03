/**
 * A paced, metered model server: `node test/support/paced-upstream.mjs --port 0 [--tokens 20] [--delay 10] …`
 * prints `{"port":…}` and answers POST /v1/chat/completions with a stream of the words "w0 w1 w2 …".
 *
 * The last user message may override the defaults, as `key=value` words:
 *   tokens=N delay=MS     how many words, and the pause before each
 *   reasoning=N           so many words of reasoning first ("r0 r1 …")
 *   cut=K                 destroys the socket after K words
 *   stall=K               falls silent after K words, keeping the socket open
 *   hang=1                never answers at all
 *   status=500            answers with this status instead; times=N only the first N times; retry_after=S
 *   echo=1                an error body repeats the request's Authorization header
 *   stream_options=reject refuses requests that carry stream_options
 *   tool=name:{…}         first calls this tool; streams words once a tool result is there
 *
 * GET /stats tells what it saw, POST /reset forgets it: requests received, `active` ones and those `completed`;
 * token `chunks` written, and how many of them after the socket of their request had closed
 * (`chunksAfterClose`); requests whose client went away before the end (`closedByClient`), and when the last
 * one did (`lastClosedAt`, ms since 1970); the token chunks of the request that ended last (`lastChunks`).
 */
import { createServer } from "node:http"

const pairs = process.argv
  .slice(2)
  .join(" ")
  .matchAll(/--(\w+) (\S+)/g)
const flags = Object.fromEntries(Array.from(pairs, ([, key, value]) => [key, value]))
const counts = [
  "requests",
  "active",
  "completed",
  "chunks",
  "chunksAfterClose",
  "closedByClient",
  "connections"
]
const fresh = () => Object.fromEntries([...counts, "lastClosedAt", "lastChunks"].map((name) => [name, 0]))
let stats = fresh()
let failures = 0

const directives = (text) => {
  const tool = /\btool=(\w+):(\{.*\})/.exec(text)
  const words = text.replace(tool?.[0] ?? "", "").matchAll(/\b(\w+)=(\S+)/g)
  const asked = Object.fromEntries(Array.from(words, ([, key, value]) => [key, value]))
  return { tokens: 20, delay: 10, ...flags, ...asked, tool }
}

const chunk = (delta, finish_reason = null) => {
  const choices = [{ index: 0, delta, finish_reason }]
  const id = "chatcmpl-paced"
  const created = 1_700_000_000
  return `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created, model: "paced", choices })}\n\n`
}

const answer = (request, response, { messages = [], stream_options }) => {
  const said = messages.findLast((message) => message.role === "user")?.content ?? ""
  const ask = directives(typeof said === "string" ? said : JSON.stringify(said))
  if (ask.hang) return
  const disliked = ask.stream_options === "reject" && stream_options
  const failing = ask.status && (!ask.times || failures++ < Number(ask.times))
  if (disliked || failing) {
    const message = disliked ? "unknown field stream_options" : "paced refusal"
    if (ask.retry_after) response.setHeader("retry-after", ask.retry_after)
    response.writeHead(disliked ? 400 : Number(ask.status), { "content-type": "application/json" })
    const heard = ask.echo ? `${message}: ${request.headers.authorization}` : message
    return response.end(JSON.stringify({ error: { message: heard } }))
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.write(chunk({ role: "assistant", content: "" }))
  const finish = (reason, total) => {
    response.write(chunk({}, reason))
    const usage = { prompt_tokens: 7, completion_tokens: total, total_tokens: total + 7 }
    if (stream_options) response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`)
    response.end("data: [DONE]\n\n")
  }
  if (ask.tool && messages.at(-1)?.role !== "tool") {
    const [, name, input] = ask.tool
    const call = (more) => response.write(chunk({ tool_calls: [{ index: 0, ...more }] }))
    call({ id: `call_${stats.requests}`, type: "function", function: { name, arguments: "" } })
    for (const piece of input.match(/.{1,5}/gs) ?? []) call({ function: { arguments: piece } })
    return finish("tool_calls", 1)
  }
  const thoughts = Number(ask.reasoning ?? 0)
  const total = thoughts + Number(ask.tokens)
  response.sent = 0
  const timer = setInterval(() => {
    const at = response.sent
    if (at === total) {
      clearInterval(timer)
      return finish("stop", total)
    }
    if (at === Number(ask.cut)) {
      response.cut = true
      return response.destroy()
    }
    if (at === Number(ask.stall)) return
    response.write(
      chunk(at < thoughts ? { reasoning_content: `r${at} ` } : { content: `w${at - thoughts} ` })
    )
    response.sent++
    stats.chunks++
    if (request.socket.destroyed) stats.chunksAfterClose++
  }, Number(ask.delay))
  response.on("close", () => clearInterval(timer))
}

const server = createServer((request, response) => {
  if (request.url === "/reset") {
    stats = { ...fresh(), active: stats.active }
    failures = 0
  }
  if (request.url === "/stats" || request.url === "/reset") return response.end(JSON.stringify(stats))
  stats.requests++
  stats.active++
  response.on("close", () => {
    stats.active--
    stats.lastChunks = response.sent ?? 0
    if (response.writableFinished) return stats.completed++
    if (response.cut) return
    stats.closedByClient++
    stats.lastClosedAt = Date.now()
  })
  let body = ""
  request.setEncoding("utf8").on("data", (piece) => {
    body += piece
  })
  request.on("end", () => answer(request, response, JSON.parse(body)))
}).on("connection", () => stats.connections++)
server.keepAliveTimeout = 60_000
const { host = "127.0.0.1", port = 0 } = flags
server.listen({ host, port: Number(port), backlog: 4096 }, () =>
  console.log(JSON.stringify(server.address()))
)
// Ends with the program that started it, however that ends.
if (flags.attached) process.stdin.on("end", () => process.exit(0)).resume()
