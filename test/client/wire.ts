/** Frames as the server writes them (docs/protocol.md), for tests of those who read them. */

export const flowId = "0123456789abcdef0123456789abcdef"
export const chatId = "chat-1"

export type Fields = Readonly<Record<string, unknown>>

export const frame = (type: string, category: string, fields: Fields = {}): Fields => ({
  is_bot: true,
  message: "",
  type,
  category,
  intermediate_steps: null,
  files: null,
  user_id: 1,
  message_id: null,
  source: 0,
  sender: null,
  receiver: null,
  liked: 0,
  extra: "{}",
  flow_id: flowId,
  chat_id: chatId,
  ...fields
})

export const opened = (fields: Fields = {}): Fields =>
  frame("info", "session", {
    message: { epoch: "e1", seq: 0, status: "idle", run_id: null, recovered: false, ...fields }
  })

export const question = (text: string, clientMsgId: string | null, messageId = 1): Fields => ({
  message_id: messageId,
  message: text,
  user_id: 1,
  client_msg_id: clientMsgId
})

export const begin = (runId: string, asked: Fields): Fields =>
  frame("begin", "processing", { run_id: runId, question: asked })

export const text = (runId: string, content: string): Fields =>
  frame("stream", "processing", { run_id: runId, message: { content, reasoning_content: "" } })

export const reasoning = (runId: string, content: string): Fields =>
  frame("stream", "processing", { run_id: runId, message: { content: "", reasoning_content: content } })

export const close = (runId: string): Fields => frame("close", "processing", { run_id: runId })

/** An assistant's run with one tool call, as in docs/protocol.md. */
export const assistantRun = (runId: string, asked: Fields): ReadonlyArray<Fields> => [
  begin(runId, asked),
  frame("start", "processing", { run_id: runId }),
  reasoning(runId, "I should "),
  reasoning(runId, "calculate."),
  frame("start", "tool", {
    run_id: runId,
    message: JSON.stringify({
      tool_key: "calculator",
      serialized: { name: "calculator" },
      input_str: '{"e":"6*7"}'
    }),
    intermediate_steps: 'Tool input: \n\n{"e":"6*7"}\n\n',
    extra: JSON.stringify({ run_id: "t1" })
  }),
  frame("end", "tool", {
    run_id: runId,
    message: JSON.stringify({ tool_key: "calculator", output: "42" }),
    intermediate_steps: "Tool output: \n\n42",
    message_id: 2,
    extra: JSON.stringify({ run_id: "t1" })
  }),
  frame("stream", "processing", {
    run_id: runId,
    message: { content: "", reasoning_content: "" },
    intermediate_steps: "writing it down"
  }),
  text(runId, "It is "),
  text(runId, "42"),
  frame("end", "processing", { run_id: runId, intermediate_steps: "writing it down" }),
  frame("start", "answer", { run_id: runId }),
  frame("end_cover", "answer", { run_id: runId, message: "It is 42.", message_id: 4, source: 1 }),
  close(runId)
]

/** The last frames of a run that was stopped after some text. */
export const stoppedTail = (runId: string, reasoned: string, said: string): ReadonlyArray<Fields> => [
  frame("end", "reasoning_answer", { run_id: runId, message: reasoned, message_id: 7 }),
  frame("end", "answer", { run_id: runId, message: said, message_id: 8 }),
  frame("end", "processing", { run_id: runId }),
  close(runId)
]

export const failedTail = (runId: string): ReadonlyArray<Fields> => [
  frame("end", "error", {
    run_id: runId,
    message: {
      status_code: 10499,
      status_message: "the run failed",
      data: { exception: "the model's server refused the connection" }
    }
  }),
  close(runId)
]

/** Numbers frames from `first` on. */
export const numbered = (first: number, frames: ReadonlyArray<Fields>): ReadonlyArray<Fields> =>
  frames.map((each, i) => ({ ...each, seq: first + i }))
