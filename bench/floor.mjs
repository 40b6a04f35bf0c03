/**
 * The floor: the least that `ws` and Node need for the same work. No sign-in, no database, no history, no resume,
 * no limits; nothing is corked or merged. It pings as often as ours, and looks at no answer. With CORKED=1 the frames of
 * one turn of the event loop leave in one write: what is left of a frame's cost when many come at once.
 */
import { createServer } from "node:http"
import { WebSocketServer } from "ws"
import { conversation } from "./conversation.mjs"

const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 * 1024 })

const pingEveryMs = 30_000
setInterval(() => {
  for (const ws of wss.clients) ws.ping()
}, pingEveryMs)

/** Says frames on a socket: each on its own, or all of a turn at once. */
const teller = (ws, socket) => {
  if (process.env.CORKED !== "1") return (frame) => ws.send(JSON.stringify(frame))
  let corked = false
  const uncork = () => {
    corked = false
    socket.uncork()
  }
  return (frame) => {
    if (!corked) {
      corked = true
      socket.cork()
      setImmediate(uncork)
    }
    ws.send(JSON.stringify(frame))
  }
}

const server = createServer()
server.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url ?? "", "http://localhost")
  wss.handleUpgrade(request, socket, head, (ws) => {
    const { hear, leave, greet } = conversation({
      flowId: url.pathname.split("/").at(-1) ?? "",
      chatId: url.searchParams.get("chat_id") ?? "",
      tell: teller(ws, socket)
    })
    ws.on("message", (data) => hear(JSON.parse(data.toString())))
    ws.on("close", leave)
    greet()
  })
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
  console.log(`http://127.0.0.1:${server.address().port}`)
)
