/** Some thousands of chats, messages and runs, made in a few statements. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import { sqlTime } from "../../src/storage/sql/columns.ts"
import { someTime, times } from "./suite/vocabulary.ts"

export const owner = 7
export const longChat = "chat-0"

/** Of 3,000 chats of one user. */
export const chats = 3_000
export const rareApp = { flowId: "c".repeat(32), flowType: 1 } as const
const usualApp = { flowId: "a".repeat(32), flowType: 5 } as const
const isRare = (i: number): boolean => i % 50 === 0

/** Ten chats share each moment; the lower their number, the later. */
export const momentOf = (i: number): Date => new Date(someTime - Math.floor(i / 10) * 1000)
export const chatOf = (i: number): string => `chat-${i}`

/** Questions, answers and runs of the long chat; its messages have even numbers, those of others odd ones. */
export const rounds = 2_000
export const lastMessage = rounds * 4

const session = (i: number, userId: number, chatId: string) => {
  const { flowId, flowType } = isRare(i) ? rareApp : usualApp
  const time = sqlTime(momentOf(i))
  return {
    chat_id: chatId,
    flow_id: flowId,
    flow_type: flowType,
    flow_name: "an app",
    name: "why?",
    user_id: userId,
    like: 0,
    dislike: 0,
    copied: 0,
    sensitive_status: 0,
    memory_floor: 0,
    opened_by: "",
    is_delete: 0,
    create_time: time,
    update_time: time
  }
}

const runIdOf = (chat: number, round: number): string => `run-${chat}-${round}`

const message = (id: number, chat: number, round: number, isBot: boolean) => {
  const time = sqlTime(new Date(someTime))
  return {
    id,
    is_bot: isBot ? 1 : 0,
    source: 0,
    type: isBot ? "end" : "over",
    category: isBot ? "answer" : "question",
    flow_id: usualApp.flowId,
    chat_id: chatOf(chat),
    user_id: owner,
    run_id: runIdOf(chat, round),
    liked: 0,
    solved: 0,
    copied: 0,
    sensitive_status: 0,
    message: isBot ? "because" : "why?",
    intermediate_steps: "",
    files: "",
    extra: "{}",
    remark: "",
    sender: "",
    receiver: "",
    create_time: time,
    update_time: time
  }
}

const run = (round: number) => {
  const time = sqlTime(new Date(someTime))
  return {
    id: runIdOf(0, round),
    chat_id: longChat,
    flow_id: usualApp.flowId,
    user_id: owner,
    action: "default",
    status: "done",
    owner: "node-1",
    client_msg_id: null,
    question_id: round * 4 + 2,
    payload: "",
    queue_rank: 0,
    partial_text: "",
    partial_reasoning: "",
    error: "",
    prompt_tokens: 0,
    completion_tokens: 0,
    create_time: time,
    start_time: time,
    end_time: time
  }
}

type Row = Readonly<Record<string, string | number | null>>

const rowsAtOnce = 500

export const fillLong = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const insert = (table: string, rows: ReadonlyArray<Row>) =>
    Effect.forEach(
      Chunk.chunksOf(Chunk.fromIterable(rows), rowsAtOnce),
      (some) => sql`INSERT INTO ${sql(table)} ${sql.insert([...some])}`,
      { discard: true }
    )
  yield* insert("message_session", [
    ...times(chats, (i) => session(i, owner, chatOf(i))),
    ...times(1_000, (i) => session(i, owner + 1, `others-${i}`))
  ])
  yield* insert("chat_message", [
    ...times(rounds, (i) => message(i * 4 + 2, 0, i, false)),
    ...times(rounds, (i) => message(i * 4 + 4, 0, i, true)),
    ...times(chats - 1, (i) => message(i * 2 + 1, i + 1, 0, i % 2 === 1))
  ])
  yield* insert("run", times(rounds, run))
  yield* sql.onDialectOrElse({
    mysql: () => sql.unsafe("ANALYZE TABLE message_session, chat_message, run"),
    orElse: () => Effect.void
  })
})
