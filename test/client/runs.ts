/** Runs of more than one answer, as the server writes their frames and rows. */
import type { SessionEvent } from "../../src/client/client.ts"
import { readHistory } from "../../src/client/history.ts"
import * as wire from "./wire.ts"

const frame = (type: string, category: string, fields: wire.Fields = {}) =>
  wire.frame(type, category, { run_id: "r1", ...fields })

const start = (fields: wire.Fields = {}) => frame("start", "processing", fields)

export const groupUntilAsked: ReadonlyArray<wire.Fields> = [
  wire.begin("r1", wire.question("Write", "c1")),
  start(),
  wire.reasoning("r1", "let me see"),
  frame("end", "answer", {
    message: "A draft.",
    sender: "Writer",
    receiver: { name: "Critic", user_name: "Critic", is_self: false },
    message_id: 2
  }),
  start({ sender: "Critic" }),
  wire.text("r1", "Too short"),
  frame("end", "answer", {
    message: "Too short. What do you think?",
    sender: "Critic",
    receiver: { name: "You", user_name: "You", is_self: true },
    message_id: 3
  })
]

export const groupAfterReply = (clientMsgId: string): ReadonlyArray<wire.Fields> => [
  { ...start(), question: wire.question("Longer, please", clientMsgId, 4) },
  wire.text("r1", "A longer"),
  frame("end", "answer", { message: "A longer draft.", sender: "Writer", message_id: 5 }),
  frame("start", "divider"),
  frame("end", "divider", { message: "The round is over", message_id: 6 }),
  wire.close("r1")
]

export const place = (row: number, more: wire.Fields = {}): string =>
  JSON.stringify({ ...more, row, progress: { done: row, total: 3 } })

const asked = (row: number, text: string, id: number) => [
  frame("start", "question"),
  frame("end", "question", { intermediate_steps: text, message_id: id, extra: place(row) })
]

const answered = (row: number, text: string, id: number, more: wire.Fields = {}, source = 0) => [
  frame("start", "answer"),
  frame("end", "answer", {
    message: text,
    intermediate_steps: text,
    message_id: id,
    source,
    extra: place(row, more)
  })
]

export const batch: ReadonlyArray<wire.Fields> = [
  wire.begin("r1", wire.question("notes.md", "c1")),
  frame("end", "processing", { intermediate_steps: "file received, parsing" }),
  start(),
  ...asked(0, "Who?", 10),
  wire.text("r1", "Ad"),
  frame("end", "processing", { intermediate_steps: "" }),
  ...answered(0, "Ada", 11, {}, 1),
  ...asked(1, "When?", 12),
  ...answered(1, "the model refused", 13, { failed: true }),
  ...asked(2, "Where?", 14),
  ...answered(2, "London", 15),
  frame("start", "report"),
  frame("end", "report", { intermediate_steps: "### Who? \nAda", message_id: 16 }),
  wire.close("r1")
]

export const report: ReadonlyArray<wire.Fields> = [
  wire.begin("r1", wire.question("Report", "c1")),
  frame("end", "processing", { intermediate_steps: "parsed, generating" }),
  ...asked(0, "Who?", 10),
  ...answered(0, "Ada", 11),
  start(),
  frame("end", "processing", {
    files: [{ file_url: "/api/v1/files/key", file_name: "Brief.docx" }],
    extra: JSON.stringify({ unfilled: ["signature", "date"] }),
    message_id: 12
  }),
  wire.close("r1")
]

export const node = (type: "start" | "end", uniqueId: string, name: string, reason: string | null = null) =>
  frame(type, "node_run", {
    message: { unique_id: uniqueId, node_id: name.toLowerCase(), name, ...(type === "end" ? { reason } : {}) }
  })

export const streamed = (uniqueId: string, msg: string) => ({
  unique_id: uniqueId,
  node_id: "llm_1",
  name: "Writer",
  msg,
  reasoning_content: "",
  output_key: "output"
})

export const inputMessage = {
  node_id: "input_1",
  name: "Topic",
  input_schema: {
    key: "user_input",
    tab: "dialog_input",
    value: [
      { key: "dialog_files_content", type: "", value: "", required: false, options: null },
      { key: "dialog_file_accept", type: "", value: "all", required: false, options: null }
    ]
  }
}

export const workflowUntilInput: ReadonlyArray<wire.Fields> = [
  wire.begin("r1", { message_id: null, message: "", user_id: 1, client_msg_id: "c1" }),
  node("start", "u0", "Start"),
  frame("over", "guide_word", { message: "Hello." }),
  frame("over", "guide_question", { message: ["One?", "Two?"] }),
  node("end", "u0", "Start"),
  frame("over", "input", { message: inputMessage, message_id: 5 })
]

export const workflowUntilChoice = (clientMsgId: string): ReadonlyArray<wire.Fields> => [
  { ...node("start", "u2", "Writer"), question: wire.question("Tea", clientMsgId, 6) },
  frame("stream", "stream_msg", { message: streamed("u2", "About ") }),
  frame("stream", "stream_msg", { message: streamed("u2", "tea.") }),
  frame("end", "stream_msg", { message: streamed("u2", "About tea."), message_id: 7, source: 1 }),
  node("end", "u2", "Writer"),
  frame("over", "output_with_choose_msg", {
    message: {
      node_id: "output_1",
      unique_id: "u3",
      name: "Choice",
      msg: "Good?",
      key: "output_result",
      options: [
        { id: "a", label: "Good", value: "" },
        { id: "b", label: "Again", value: "" }
      ]
    },
    message_id: 8
  })
]

export const workflowEnd: ReadonlyArray<wire.Fields> = [
  { ...node("start", "u4", "End"), question: wire.question("Good", "c3", 9) },
  node("end", "u4", "End"),
  wire.close("r1")
]

export const form = frame("over", "input", {
  message: {
    node_id: "input_2",
    name: "About you",
    input_schema: {
      tab: "form_input",
      value: [
        { key: "name", type: "text", value: "Your name", required: true, options: [] },
        {
          key: "size",
          type: "select",
          value: "Size",
          required: false,
          multiple: false,
          options: [
            { id: "s", text: "Small" },
            { id: "l", text: "Large" }
          ]
        },
        { key: "tags", type: "select", value: "Tags", multiple: true, options: [{ id: "x", text: "X" }] },
        { key: "scan", type: "file", value: "A scan", required: true, file_type: "image" }
      ]
    }
  },
  message_id: 30
})

export const edit = frame("over", "output_with_input_msg", {
  message: {
    node_id: "output_2",
    name: "Letter",
    msg: "Change it?",
    key: "output_result",
    input_msg: "Dear all"
  },
  message_id: 31
})

const row = (id: number, category: string, fields: wire.Fields): wire.Fields => ({
  id,
  is_bot: true,
  category,
  message: "",
  intermediate_steps: "",
  files: "",
  extra: "{}",
  remark: "",
  source: 0,
  user_id: 1,
  run_id: "r1",
  sender: "",
  receiver: null,
  create_time: "2026-03-04T05:06:07.000Z",
  ...fields
})

export const page = (rows: ReadonlyArray<wire.Fields>): SessionEvent => ({
  type: "history",
  page: readHistory([...rows].reverse(), {}, 30)
})

const you = { name: "You", user_name: "You", is_self: true }

export const groupRows = [
  row(1, "question", { message: "Write", is_bot: false }),
  row(2, "answer", { message: "A draft.", sender: "Writer", receiver: { name: "Critic", is_self: false } }),
  row(3, "answer", {
    message: "Too short. What do you think?",
    sender: "Critic",
    receiver: JSON.stringify(you)
  }),
  row(4, "question", { message: "Longer, please", is_bot: false }),
  row(5, "answer", { message: "A longer draft.", sender: "Writer" }),
  row(6, "divider", { message: "The round is over" })
]

export const batchRows = [
  row(9, "question", { message: "notes.md", is_bot: false }),
  row(10, "question", { message: "Who?", intermediate_steps: "Who?", extra: place(0) }),
  row(11, "answer", { message: "Ada", source: 1, extra: place(0) }),
  row(12, "question", { message: "When?", intermediate_steps: "When?", extra: place(1) }),
  row(13, "answer", {
    message: "the model refused",
    remark: "break_answer",
    extra: place(1, { failed: true })
  }),
  row(14, "question", { message: "Where?", intermediate_steps: "Where?", extra: place(2) }),
  row(15, "answer", { message: "London", extra: place(2) }),
  row(16, "report", { intermediate_steps: "### Who? \nAda" })
]

export const reply = (id: number, message: string) => row(id, "question", { message, is_bot: false })

export const workflowRows = [row(5, "input", { message: JSON.stringify(inputMessage) })]
