/**
 * The model server of the benchmark: OpenAI-compatible, paced, lean. `node bench/upstream.mjs` prints
 * `{"port":…}`.
 *
 * The last user message says what to answer, as `key=value` words: `tokens` (how many), `delay` (milliseconds
 * before each), `id` (anything; `GET /closed` tells when the request of that id lost its client).
 *
 * Every token is one chunk and one write. One ticker serves all answers from a wheel of milliseconds, so that
 * hundreds of answers are not hundreds of timers, and tokens of different answers stay spread in time. HTTP is
 * Node's; the chunks are written ready-made to the socket, past `ServerResponse`.
 *
 * The first and the last token carry stamps of the shared clock: `@first:<request>:<token>` and
 * `@last:<token>`, in microseconds, from which a client subtracts what this server took.
 */
import { createServer } from "node:http"
import { now } from "./clock.mjs"
import { endWithParent } from "./endWithParent.mjs"

endWithParent()

const wheelSize = 2048

/**
 * @typedef {{ socket: import("node:net").Socket, response: import("node:http").ServerResponse, sent: number,
 *   tokens: number, delay: number, due: number, usage: boolean, received: number }} Answer
 */

/** @type {Array<Array<Answer>>} */
const wheel = Array.from({ length: wheelSize }, () => [])
/** @type {Map<string, number>} */
let closed = new Map()

const event = (value) => `data: ${JSON.stringify(value)}\n\n`
const chunk = (delta, finish = null) =>
  event({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "bench",
    choices: [{ index: 0, delta, finish_reason: finish }]
  })
/** One piece of a chunked HTTP body. */
const piece = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

const head = piece(chunk({ role: "assistant", content: "" }))
const words = Array.from({ length: 1000 }, (_, i) => Buffer.from(piece(chunk({ content: `word${i % 10} ` }))))
const tail = (answer) => {
  const usage = { prompt_tokens: 7, completion_tokens: answer.tokens, total_tokens: answer.tokens + 7 }
  const counted = answer.usage ? event({ choices: [], usage }) : ""
  return piece(`${chunk({}, "stop")}${counted}data: [DONE]\n\n`)
}

/** @param {Answer} answer @param {number} tick */
const schedule = (answer, tick) => {
  answer.due = tick + answer.delay
  wheel[answer.due % wheelSize].push(answer)
}

/** @param {Answer} answer */
const writeNext = (answer) => {
  answer.sent += 1
  const first = answer.sent === 1
  if (answer.sent < answer.tokens) {
    const stamp = first && chunk({ content: `@first:${Math.round(answer.received)}:${Math.round(now())} ` })
    answer.socket.write(stamp ? piece(stamp) : words[answer.sent % words.length])
    return true
  }
  answer.socket.write(piece(chunk({ content: `@last:${Math.round(now())} ` })) + tail(answer))
  answer.response.end()
  return false
}

const started = now()
const currentTick = () => Math.floor((now() - started) / 1000)
let done = 0
setInterval(() => {
  const tick = currentTick()
  while (done < tick) {
    done += 1
    const slot = wheel[done % wheelSize]
    if (slot.length === 0) continue
    wheel[done % wheelSize] = []
    for (const answer of slot) {
      if (answer.due > done) wheel[answer.due % wheelSize].push(answer)
      else if (!answer.socket.destroyed && writeNext(answer)) schedule(answer, done)
    }
  }
}, 1)

const server = createServer((request, response) => {
  if (request.url === "/closed") {
    const answer = JSON.stringify([...closed])
    closed = new Map()
    response.end(answer)
    return
  }
  let body = ""
  request.setEncoding("utf8").on("data", (text) => {
    body += text
  })
  request.on("end", () => {
    const received = now()
    const { messages, stream_options } = JSON.parse(body)
    const said = messages.findLast((message) => message.role === "user").content
    const asked = Object.fromEntries([...said.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]) => [key, value]))
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.flushHeaders()
    const { socket } = response
    socket.setNoDelay(true)
    socket.write(head)
    response.on("close", () => {
      if (!response.writableFinished && asked.id) closed.set(asked.id, now())
    })
    schedule(
      {
        socket,
        response,
        sent: 0,
        tokens: Number(asked.tokens ?? 200),
        delay: Math.max(1, Number(asked.delay ?? 20)),
        due: 0,
        usage: Boolean(stream_options?.include_usage),
        received
      },
      currentTick()
    )
  })
})
server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
  console.log(JSON.stringify({ port: server.address().port }))
)
