/**
 * A chat route of the AI SDK: `streamText` to a stream of user interface parts, a copy of which is kept resumable
 * through Redis by `resumable-stream`, as the SDK's documentation does it. Node's HTTP instead of a framework.
 */
import { createServer } from "node:http"
import { json } from "node:stream/consumers"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { convertToModelMessages, streamText } from "ai"
import { createClient } from "redis"
import { createResumableStreamContext } from "resumable-stream/redis"

const model = createOpenAICompatible({
  name: "bench",
  baseURL: process.env.OPENAI_BASE_URL ?? "",
  apiKey: process.env.OPENAI_API_KEY ?? "",
  includeUsage: true
}).chatModel(process.env.OPENAI_MODEL ?? "")

const publisher = createClient({ url: process.env.REDIS_URL })
const subscriber = publisher.duplicate()
await Promise.all([publisher.connect(), subscriber.connect()])
const streams = createResumableStreamContext({ waitUntil: null, publisher, subscriber })

/** The chat's stream that a client coming back would resume. @type {Map<string, string>} */
const active = new Map()

const chat = async (request, response) => {
  const { id, messages } = await json(request)
  // The SDK would let the answer go on for whoever comes back; nobody comes back to the benchmark.
  const gone = new AbortController()
  response.on("close", () => gone.abort())
  const result = streamText({
    model,
    system: "Answer.",
    messages: await convertToModelMessages(messages),
    abortSignal: gone.signal,
    maxRetries: 0
  })
  result.pipeUIMessageStreamToResponse(response, {
    originalMessages: messages,
    onFinish: () => active.delete(id),
    consumeSseStream: async ({ stream }) => {
      const streamId = crypto.randomUUID()
      active.set(id, streamId)
      await streams.createNewResumableStream(streamId, () => stream)
    }
  })
}

const resume = async (id, response) => {
  const streamId = active.get(id)
  const stream = streamId && (await streams.resumeExistingStream(streamId))
  if (!stream) return response.writeHead(204).end()
  response.writeHead(200, { "content-type": "text/event-stream" })
  for await (const part of stream) response.write(part)
  response.end()
}

const server = createServer(async (request, response) => {
  const resumed = /^\/api\/chat\/([^/]+)\/stream$/.exec(request.url ?? "")
  if (resumed) await resume(resumed[1], response)
  else await chat(request, response)
})
server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
  console.log(`http://127.0.0.1:${server.address().port}`)
)
