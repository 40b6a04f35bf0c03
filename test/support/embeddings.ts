/**
 * An OpenAI-compatible `/embeddings` server on 127.0.0.1, gone with the scope.
 *
 * It knows some words by their meaning: those of one group point the same way. What else is said adds a little in
 * a direction of its own, so that no two texts are the same.
 */
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Asked = Schema.parseJson(
  Schema.Struct({ model: Schema.String, input: Schema.Array(Schema.NonEmptyString) })
)

export interface EmbeddingServer {
  /** What OPENAI_BASE_URL takes. */
  readonly url: string
  /** Of every request, in order. */
  readonly requests: ReadonlyArray<{
    readonly model: string
    readonly input: ReadonlyArray<string>
    readonly authorization: string | undefined
  }>
  /** Connections closed by the client before they were answered. */
  readonly abandoned: () => number
  /** Answers the next requests in place of the server. */
  readonly next: (...answers: ReadonlyArray<Http.RequestListener>) => void
}

export const meanings = [
  ["car", "automobile", "vehicle", "motor"],
  ["doctor", "physician", "medicine", "hospital"],
  ["money", "salary", "wage", "income", "工资"]
]
const others = 8

export const vectorOf = (text: string): ReadonlyArray<number> => {
  const vector = Array.from({ length: meanings.length + others }, () => 0)
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    const group = meanings.findIndex((words) => words.some((one) => word.startsWith(one)))
    const other =
      meanings.length + ([...word].reduce((sum, it) => sum + (it.codePointAt(0) ?? 0), 0) % others)
    if (group === -1) vector[other] = (vector[other] ?? 0) + 0.02
    else vector[group] = (vector[group] ?? 0) + 1
  }
  return vector
}

export const embeddingServer = Effect.gen(function* () {
  const requests: Array<EmbeddingServer["requests"][number]> = []
  const planned: Array<Http.RequestListener> = []
  let abandoned = 0
  const server = Http.createServer((request, response) => {
    const chunks: Array<Uint8Array> = []
    response.on("close", () => {
      if (!response.writableEnded) abandoned += 1
    })
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    request.on("end", () => {
      const asked = Schema.decodeUnknownOption(Asked)(Buffer.concat(chunks).toString("utf8"))
      if (asked._tag === "None" || request.url !== "/v1/embeddings") {
        response.writeHead(400).end("no such request")
        return
      }
      requests.push({ ...asked.value, authorization: request.headers.authorization })
      const listener = planned.shift()
      if (listener !== undefined) return listener(request, response)
      const data = asked.value.input.map((text, index) => ({
        object: "embedding",
        index,
        embedding: vectorOf(text)
      }))
      response.writeHead(200, { "content-type": "application/json" })
      // Servers need not keep the order.
      response.end(JSON.stringify({ object: "list", data: data.reverse(), model: asked.value.model }))
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(portOf(server.address()))))
    }),
    () =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const it: EmbeddingServer = {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    abandoned: () => abandoned,
    next: (...answers) => {
      planned.push(...answers)
    }
  }
  return it
})

const portOf = (address: AddressInfo | string | null): number =>
  address === null || typeof address === "string" ? 0 : address.port
