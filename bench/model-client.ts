/**
 * What a streamed token costs this process, by the client that reads it: our own, the official `openai` package,
 * and `@effect/platform`'s HttpClient with `@effect/experimental`'s Sse. One paced upstream in its own process
 * serves all three; what is measured is the CPU of this one.
 *
 *   npx tsx bench/model-client.ts [streams=100] [tokens=200] [delay=10]
 */
import * as Sse from "@effect/experimental/Sse"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import OpenAI from "openai"
import { LanguageModel, type TokenSink } from "../src/model/LanguageModel.ts"
import * as OpenAi from "../src/model/OpenAi.ts"
import { pacedUpstream } from "../test/support/upstream.ts"

const numbers = Object.fromEntries(
  process.argv.slice(2).map((word) => {
    const [name = "", value] = word.split("=")
    return [name, Number(value)]
  })
)
const streams = numbers.streams ?? 100
const tokens = numbers.tokens ?? 200
const delay = numbers.delay ?? 10

type Client = (sink: TokenSink) => Effect.Effect<unknown, unknown>

const messages = [{ role: "user" as const, content: "go" }]

const own = (url: string) =>
  Effect.gen(function* () {
    const layer = OpenAi.layer({ baseUrl: url, apiKey: Option.some(Redacted.make("key")), model: "paced" })
    const model = Context.get(yield* Layer.build(layer), LanguageModel)
    const client: Client = (sink) =>
      model.generate(
        { model: null, temperature: null, messages, tools: [], scope: { flowId: "", userId: 0 } },
        sink
      )
    return client
  })

const official = (url: string) =>
  Effect.sync((): Client => {
    const openai = new OpenAI({ baseURL: url, apiKey: "key" })
    return (sink) =>
      Effect.tryPromise(async (signal) => {
        const body = {
          model: "paced",
          messages,
          stream: true as const,
          stream_options: { include_usage: true }
        }
        for await (const chunk of await openai.chat.completions.create(body, { signal })) {
          const text = chunk.choices[0]?.delta.content
          if (text) sink.text(text)
        }
      })
  })

const Chunk = Schema.parseJson(
  Schema.Struct({
    choices: Schema.Array(
      Schema.Struct({ delta: Schema.Struct({ content: Schema.optional(Schema.String) }) })
    )
  })
)

const platform = (url: string) =>
  Effect.gen(function* () {
    const http = Context.get(yield* Layer.build(NodeHttpClient.layerUndici), HttpClient.HttpClient)
    const client: Client = (sink) =>
      HttpClientRequest.post(`${url}/chat/completions`).pipe(
        HttpClientRequest.bodyUnsafeJson({ model: "paced", messages, stream: true }),
        http.execute,
        HttpClientResponse.stream,
        Stream.decodeText(),
        Stream.pipeThroughChannel(Sse.makeChannel()),
        Stream.takeWhile((event) => event.data !== "[DONE]"),
        Stream.mapEffect((event) => Schema.decode(Chunk)(event.data)),
        Stream.runForEach((chunk) =>
          Effect.sync(() => {
            const text = chunk.choices[0]?.delta.content
            if (text) sink.text(text)
          })
        )
      )
    return client
  })

const measure = (name: string, client: Client) =>
  Effect.gen(function* () {
    let received = 0
    const sink: TokenSink = {
      text: () => {
        received++
      },
      reasoning: () => undefined
    }
    const round = Effect.all(
      Array.from({ length: streams }, () => client(sink)),
      { concurrency: "unbounded" }
    )
    yield* round // warms the compiler up
    received = 0
    const before = process.cpuUsage()
    const [elapsed] = yield* Effect.timed(round)
    const used = process.cpuUsage(before)
    const micros = used.user + used.system
    return {
      client: name,
      "CPU µs per token": Number((micros / received).toFixed(1)),
      tokens: received,
      elapsed: Duration.format(elapsed)
    }
  })

const program = Effect.gen(function* () {
  const { url } = yield* pacedUpstream({ tokens, delay })
  const clients = [
    ["own", own(url)],
    ["openai package", official(url)],
    ["HttpClient + Sse", platform(url)]
  ] as const
  for (const round of [1, 2]) {
    console.log(`\nround ${round}: ${streams} streams of ${tokens} tokens, one each ${delay} ms`)
    const rows = yield* Effect.forEach(clients, ([name, make]) =>
      Effect.scoped(Effect.flatMap(make, (client) => measure(name, client)))
    )
    console.table(rows)
  }
})

NodeRuntime.runMain(Effect.scoped(program))
