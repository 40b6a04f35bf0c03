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
 *   status=500            answers with this status instead; times=N only the first N times
 *   retry_after=S         sent with a status
 *   echo=1                an error body repeats the request's Authorization header
 *   stream_options=reject refuses requests that carry stream_options
 *   tool=name:{…}         first calls this tool; streams words once a tool result is there
 * GET /stats tells what it saw; POST /reset forgets it.
 */
import { createServer } from "node:http"

const flags = Object.fromEntries(
  process.argv
    .slice(2)
    .flatMap((word, at, all) => (word.startsWith("--") ? [[word.slice(2), all[at + 1]]] : []))
)
const fresh = () => ({
  /** Requests received, still being answered, and answered to the end. */
  requests: 0,
  active: 0,
  completed: 0,
  /** Token chunks written, and how many of them after the socket of their request had closed. */
  chunks: 0,
  chunksAfterClose: 0,
  /** Requests whose client went away before the end, and when the last one did (ms since 1970). */
  closedByClient: 0,
  lastClosedAt: 0,
  /** Token chunks written for the request that ended last. */
  lastChunks: 0,
  connections: 0
})
let stats = fresh()
let failures = 0

const directives = (text) => {
  const tool = /\btool=(\w+):(\{.*\})/.exec(text)
  const words = [...text.replace(tool?.[0] ?? "", "").matchAll(/\b(\w+)=(\S+)/g)].map(([, key, value]) => [
    key,
    value
  ])
  return {
    tokens: 20,
    delay: 10,
    ...flags,
    ...Object.fromEntries(words),
    ...(tool && { tool: [tool[1], tool[2]] })
  }
}

const chunk = (delta, finish = null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-paced",
    object: "chat.completion.chunk",
    created: 1700000000,
    model: "paced",
    choices: [{ index: 0, delta, finish_reason: finish }]
  })}\n\n`

const answer = (request, response, body) => {
  const { messages = [], stream_options } = body
  const said = messages.findLast((message) => message.role === "user")?.content ?? ""
  const ask = directives(typeof said === "string" ? said : JSON.stringify(said))
  if (ask.hang) return
  const refusal =
    ask.stream_options === "reject" && stream_options
      ? 400
      : ask.status && (!ask.times || failures++ < Number(ask.times))
        ? Number(ask.status)
        : 0
  if (refusal) {
    const what = ask.echo ? `bad ${request.headers.authorization}` : "paced refusal"
    const message = ask.stream_options ? "unknown field stream_options" : what
    if (ask.retry_after) response.setHeader("retry-after", ask.retry_after)
    response.writeHead(refusal, { "content-type": "application/json" })
    return response.end(JSON.stringify({ error: { message } }))
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
    const [name, input] = ask.tool
    const call = (more) => response.write(chunk({ tool_calls: [{ index: 0, ...more }] }))
    call({ id: `call_${stats.requests}`, type: "function", function: { name, arguments: "" } })
    for (const piece of input.match(/.{1,5}/gs) ?? []) call({ function: { arguments: piece } })
    return finish("tool_calls", 1)
  }
  const thoughts = Number(ask.reasoning ?? 0)
  const total = thoughts + Number(ask.tokens)
  let sent = 0
  const timer = setInterval(() => {
    if (sent === total) {
      clearInterval(timer)
      return finish("stop", total)
    }
    if (ask.cut && sent === Number(ask.cut)) {
      response.cut = true
      return response.destroy()
    }
    if (ask.stall && sent === Number(ask.stall)) return
    response.write(
      chunk(sent < thoughts ? { reasoning_content: `r${sent} ` } : { content: `w${sent - thoughts} ` })
    )
    response.sent = ++sent
    stats.chunks++
    if (request.socket.destroyed) stats.chunksAfterClose++
  }, Number(ask.delay))
  response.on("close", () => clearInterval(timer))
}

const server = createServer((request, response) => {
  const json = (value) => response.end(JSON.stringify(value))
  if (request.url === "/stats") return json(stats)
  if (request.url === "/reset") {
    stats = { ...fresh(), active: stats.active }
    failures = 0
    return json(stats)
  }
  stats.requests++
  stats.active++
  response.on("close", () => {
    stats.active--
    stats.lastChunks = response.sent ?? 0
    if (response.writableFinished) stats.completed++
    else if (!response.cut) {
      stats.closedByClient++
      stats.lastClosedAt = Date.now()
    }
  })
  let body = ""
  request.setEncoding("utf8").on("data", (piece) => {
    body += piece
  })
  request.on("end", () => answer(request, response, JSON.parse(body)))
}).on("connection", () => stats.connections++)
server.keepAliveTimeout = 60_000
server.listen({ port: Number(flags.port ?? 0), host: flags.host ?? "127.0.0.1", backlog: 4096 }, () =>
  console.log(JSON.stringify({ port: server.address().port }))
)
// Ends with the program that started it, however that ends.
if (flags.attached) process.stdin.on("end", () => process.exit(0)).resume()
