/** A service elsewhere, as a remote app asks it: one POST in, AG-UI events out. This one counts what it is told. */
import { createServer, type ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Message = Schema.Struct({ role: Schema.String, content: Schema.optional(Schema.String) })

const RunInput = Schema.parseJson(
  Schema.Struct({ threadId: Schema.String, runId: Schema.String, messages: Schema.Array(Message) })
)

const answer = (body: string, response: ServerResponse): void => {
  const { messages, runId, threadId } = Schema.decodeUnknownSync(RunInput)(body)
  const questions = messages.filter(({ role }) => role === "user")
  const words =
    questions
      .at(-1)
      ?.content?.split(/\s+/)
      .filter((word) => word !== "") ?? []
  const tell = (event: object) => response.write(`data: ${JSON.stringify(event)}\n\n`)
  response.writeHead(200, { "content-type": "text/event-stream" })
  tell({ type: "RUN_STARTED", threadId, runId })
  // Steps and tool calls are kept with the answer, as its trace.
  tell({ type: "STEP_STARTED", stepName: "counting" })
  tell({ type: "TOOL_CALL_START", toolCallId: runId, toolCallName: "count" })
  tell({ type: "TOOL_CALL_ARGS", toolCallId: runId, delta: JSON.stringify({ words }) })
  tell({ type: "TOOL_CALL_END", toolCallId: runId })
  tell({ type: "TOOL_CALL_RESULT", messageId: `${runId}-1`, toolCallId: runId, content: `${words.length}` })
  tell({ type: "TEXT_MESSAGE_START", messageId: `${runId}-2`, role: "assistant" })
  const text = `${words.length} words, in question ${questions.length}.`
  tell({ type: "TEXT_MESSAGE_CONTENT", messageId: `${runId}-2`, delta: text })
  tell({ type: "TEXT_MESSAGE_END", messageId: `${runId}-2` })
  tell({ type: "RUN_FINISHED", threadId, runId })
  response.end()
}

/** Listens until its scope closes; answers its address. */
export const wordService = (key: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => {
        if (request.headers.authorization !== `Bearer ${key}`) {
          response.writeHead(401).end("who are you?")
          return
        }
        let body = ""
        request.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk
        })
        request.on("end", () => answer(body, response))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}/run`, close: () => void server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** The record of the app that asks it: `flow_type` 100. */
export const wordApp = (url: string, key: string) => ({
  name: "Word counter",
  flow_type: 100,
  data: { protocol: "ag-ui", url, api_key: key, guide_word: "Tell me something, and I count its words." }
})
