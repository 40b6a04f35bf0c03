/** What the clients and the checker ask by HTTP: each time on a connection of its own, for lines that get cut. */
import { request } from "node:http"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Row, RunRow } from "./record.ts"

export class RestFailed extends Data.TaggedError("RestFailed")<{ readonly why: string }> {}

/** Where to ask, and as whom. */
export interface Access {
  readonly url: string
  readonly token: string
}

const patience = 5_000

const fetchText = ({ url, token }: Access, path: string) =>
  Effect.async<{ readonly status: number; readonly text: string }, RestFailed>((resume) => {
    const fail = (error: Error) => resume(Effect.fail(new RestFailed({ why: `${path}: ${error.message}` })))
    const headers = { authorization: `Bearer ${token}` }
    const asked = request(url + path, { agent: false, timeout: patience, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        text += chunk
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
      response.on("error", fail)
      response.on("close", () => fail(new Error("cut")))
    })
    asked.on("timeout", () => asked.destroy(new Error("no answer")))
    asked.on("error", fail)
    asked.end()
    return Effect.sync(() => asked.destroy())
  })

const Message = Schema.Struct({
  id: Schema.Number,
  category: Schema.String,
  message: Schema.String,
  remark: Schema.String,
  run_id: Schema.NullOr(Schema.String)
})
const History = Schema.parseJson(Schema.Struct({ data: Schema.Array(Message) }))

const RunList = Schema.parseJson(
  Schema.Struct({
    data: Schema.Array(
      Schema.Struct({
        run_id: Schema.String,
        status: Schema.String,
        owner: Schema.String,
        start_time: Schema.NullOr(Schema.Date),
        end_time: Schema.NullOr(Schema.Date)
      })
    )
  })
)

const decoded = <A, I>(schema: Schema.Schema<A, I>, text: string) =>
  Effect.mapError(Schema.decodeUnknown(schema)(text), () => new RestFailed({ why: text.slice(0, 300) }))

const pageSize = 100

/** Messages of a chat with ids above `after`, oldest first. */
export const historyAfter = (
  access: Access,
  { flowId, chatId }: { readonly flowId: string; readonly chatId: string },
  after: number
): Effect.Effect<ReadonlyArray<Row>, RestFailed> =>
  Effect.gen(function* () {
    const rows: Array<Row> = []
    const chat = `/api/v1/chat/history?flow_id=${flowId}&chat_id=${chatId}&page_size=${pageSize}`
    for (let before = ""; ; ) {
      const { text } = yield* fetchText(access, `${chat}${before}`)
      const { data } = yield* decoded(History, text)
      for (const { run_id, ...row } of data) if (row.id > after) rows.push({ ...row, runId: run_id })
      const oldest = data.at(-1)?.id ?? 0
      if (data.length < pageSize || oldest <= after) return rows.reverse()
      before = `&id=${oldest}`
    }
  })

const listed = 100

/** A chat's latest runs, and whether those are all. Null where this server does not tell. */
export const runsOf = (
  access: Access,
  chatId: string
): Effect.Effect<{ readonly runs: ReadonlyArray<RunRow>; readonly isWhole: boolean } | null, RestFailed> =>
  Effect.gen(function* () {
    const { status, text } = yield* fetchText(access, `/api/v1/runs?chat_id=${chatId}&limit=${listed}`)
    if (status === 404) return null
    const { data } = yield* decoded(RunList, text)
    return {
      runs: data.map(({ run_id, status, owner, start_time, end_time }) => ({
        id: run_id,
        status,
        ran:
          start_time === null || end_time === null
            ? null
            : { node: owner, from: start_time.getTime(), until: end_time.getTime() }
      })),
      isWhole: data.length < listed
    }
  })
