/** What a run that waits asks of the person: read from its frames, and how a reply to each is said. */
import { type Fields, fieldsOf, isFields, numberOrNull, textOf } from "./json.ts"

interface Asking {
  readonly runId: string
  /** "" in a group chat. */
  readonly nodeId: string
  readonly messageId: number | null
  /** The node's name, or the participant that asks. */
  readonly name: string
  /** What it says with its question; Markdown, may be empty. */
  readonly text: string
  /** The reply that is on its way, by its `clientMsgId`; null: none. */
  readonly replyId: string | null
}

/** Someone in a group chat spoke to the person. */
export interface ContinuePrompt extends Asking {
  readonly kind: "continue"
}

/** A workflow wants a line of dialogue. */
export interface InputPrompt extends Asking {
  readonly kind: "input"
  readonly key: string
  /** Where the ids of attached files go; null: none are taken. */
  readonly filesKey: string | null
  readonly accept: FileAccept
}

export interface FormPrompt extends Asking {
  readonly kind: "form"
  readonly fields: ReadonlyArray<FormField>
}

export interface ChoosePrompt extends Asking {
  readonly kind: "choose"
  readonly key: string
  readonly options: ReadonlyArray<Choice>
}

/** A text to be changed or confirmed. */
export interface EditPrompt extends Asking {
  readonly kind: "edit"
  readonly key: string
  readonly initial: string
}

export type Prompt = ContinuePrompt | InputPrompt | FormPrompt | ChoosePrompt | EditPrompt

/** Which files are welcome. */
export type FileAccept = "any" | "file" | "image"

export interface FormField {
  readonly key: string
  readonly label: string
  readonly type: "text" | "select" | "file"
  readonly required: boolean
  readonly multiple: boolean
  readonly options: ReadonlyArray<Choice>
  readonly accept: FileAccept
  readonly initial: string
}

export interface Choice {
  readonly id: string
  readonly label: string
}

/** A value of a reply: one text, or several (chosen options, ids of uploaded files). */
export type ReplyValues = Readonly<Record<string, string | ReadonlyArray<string>>>

/** The prompt in a workflow's message; null where the category asks nothing. */
export const readPrompt = (
  category: string,
  message: Fields,
  runId: string,
  messageId: number | null
): Prompt | null => {
  const asking = {
    runId,
    messageId,
    nodeId: textOf(message, "node_id"),
    name: textOf(message, "name"),
    text: wordsOf(message["msg"]),
    replyId: null
  }
  const key = textOf(message, "key")
  switch (category) {
    case "input":
      return readInput(asking, fieldsOf(message, "input_schema"))
    case "output_with_input_msg":
      return { ...asking, kind: "edit", key, initial: wordsOf(message["input_msg"]) }
    case "output_with_choose_msg":
      return { ...asking, kind: "choose", key, options: readChoices(message["options"]) }
    default:
      return null
  }
}

const readInput = (asking: Asking, schema: Fields): InputPrompt | FormPrompt => {
  const value = schema["value"]
  const fields = (Array.isArray(value) ? value : []).filter(isFields)
  if (textOf(schema, "tab") === "form_input") {
    return { ...asking, kind: "form", fields: fields.map(readField) }
  }
  const isFile = (field: Fields) => isFileKey(textOf(field, "key")) || textOf(field, "type").includes("file")
  const words = fields.find((field) => !isFile(field)) ?? {}
  const files = fields.find((field) => textOf(field, "key").startsWith("dialog_files_content"))
  return {
    ...asking,
    kind: "input",
    key: textOf(words, "key") || textOf(schema, "key") || "user_input",
    filesKey: files === undefined ? null : textOf(files, "key"),
    accept: acceptOf(fields.find((field) => field["key"] === "dialog_file_accept") ?? files ?? {})
  }
}

const isFileKey = (key: string): boolean => key.startsWith("dialog_file") || key.startsWith("dialog_image")

const readField = (field: Fields): FormField => {
  const key = textOf(field, "key")
  const type = textOf(field, "type")
  // The field's label is its `value`; a label of its own names it where there is no value.
  const label = wordsOf(field["value"]) || textOf(field, "label") || key
  return {
    key,
    label,
    type: type === "select" || type === "file" ? type : "text",
    required: field["required"] === true,
    // Files may be several unless the form says otherwise; choices only if it says so.
    multiple:
      type === "file"
        ? field["multiple"] !== false && field["multi"] !== false
        : field["multiple"] === true || field["multi"] === true,
    options: readChoices(field["options"]),
    accept: acceptOf(field),
    initial: wordsOf(field["default"] ?? field["default_value"])
  }
}

const acceptOf = (field: Fields): FileAccept => {
  const accept = textOf(field, "file_type") || wordsOf(field["value"])
  return accept === "file" || accept === "image" ? accept : "any"
}

const readChoices = (options: unknown): ReadonlyArray<Choice> =>
  (Array.isArray(options) ? options : []).flatMap((option): ReadonlyArray<Choice> => {
    if (typeof option === "string") return [{ id: option, label: option }]
    if (!isFields(option)) return []
    const label = textOf(option, "label") || textOf(option, "text") || textOf(option, "value")
    const id = textOf(option, "id") || `${numberOrNull(option, "id") ?? label}`
    return [{ id, label: label || id }]
  })

/** A text, whatever the server holds there. */
const wordsOf = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" ? `${value}` : ""

/** A reply as it is said. `values`: what was filled in; `text`: how the conversation shows it. */
export const replyPayload = (
  prompt: Prompt,
  text: string,
  values: ReplyValues
): Readonly<Record<string, unknown>> => {
  if (prompt.kind === "continue") return { action: "continue", inputs: text }
  const said = { data: values, message: text, message_id: prompt.messageId }
  return { action: "input", data: { [prompt.nodeId]: said } }
}

/**
 * What a reply fills in and how it reads: a text for the one thing that is asked, or values by field. Of a
 * choice the option's id is the value, its label the text.
 */
export const readReply = (
  prompt: Prompt,
  answer: string | ReplyValues,
  files: ReadonlyArray<{ readonly id: string; readonly name: string }> = []
): { readonly text: string; readonly values: ReplyValues } => {
  if (typeof answer !== "string") return { text: readable(prompt, answer, files), values: answer }
  switch (prompt.kind) {
    case "continue":
      return { text: answer, values: {} }
    case "choose": {
      const chosen = prompt.options.find(({ id }) => id === answer)
      return { text: chosen?.label ?? answer, values: { [prompt.key]: answer } }
    }
    case "edit":
      return { text: answer, values: { [prompt.key]: answer } }
    case "form": {
      const [first] = prompt.fields
      return { text: answer, values: first === undefined ? {} : { [first.key]: answer } }
    }
    case "input": {
      const attached = prompt.filesKey === null ? {} : { [prompt.filesKey]: files.map(({ id }) => id) }
      const names = files.map(({ name }) => `${name}\n`).join("")
      return { text: `${names}${answer}`, values: { [prompt.key]: answer, ...attached } }
    }
  }
}

const readable = (
  prompt: Prompt,
  values: ReplyValues,
  files: ReadonlyArray<{ readonly id: string; readonly name: string }>
): string => {
  const nameOf = (id: string) => files.find((file) => file.id === id)?.name ?? id
  const fields = prompt.kind === "form" ? prompt.fields : []
  return Object.entries(values)
    .map(([key, value]) => {
      const field = fields.find((each) => each.key === key)
      const labelOf = (id: string) => field?.options.find((option) => option.id === id)?.label ?? nameOf(id)
      const words = (typeof value === "string" ? [value] : value).map(labelOf).join(", ")
      return `${field?.label ?? key}: ${words}`
    })
    .join("\n")
}
