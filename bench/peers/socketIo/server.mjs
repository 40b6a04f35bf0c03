/**
 * Socket.IO as its documentation has one set it up for several nodes: the Redis Streams adapter, and recovery of a
 * connection's state. A session is a room; every frame is emitted to the room, and so passes through the stream in
 * Redis that other nodes would read.
 */
import { createServer } from "node:http"
import { createAdapter } from "@socket.io/redis-streams-adapter"
import { createClient } from "redis"
import { Server } from "socket.io"
import { conversation } from "../../conversation.mjs"

const redis = createClient({ url: process.env.REDIS_URL })
await redis.connect()

const server = createServer()
const io = new Server(server, {
  adapter: createAdapter(redis),
  connectionStateRecovery: { maxDisconnectionDuration: 2 * 60 * 1000 },
  transports: ["websocket"],
  perMessageDeflate: false
})

io.on("connection", (socket) => {
  const { flow_id: flowId, chat_id: chatId } = socket.handshake.auth
  const room = `${flowId}:${chatId}`
  socket.join(room)
  const { hear, leave, greet } = conversation({
    flowId,
    chatId,
    tell: (frame) => io.to(room).emit("frame", frame)
  })
  socket.on("say", hear)
  // Its clients come back within minutes; those of the benchmark have gone for good.
  socket.on("disconnect", leave)
  greet()
})

server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
  console.log(`http://127.0.0.1:${server.address().port}`)
)
