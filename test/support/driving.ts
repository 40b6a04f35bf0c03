/**
 * Drives an app as a person at Bisheng's web client would: uploads what it wants, starts it the way of its kind,
 * answers what it asks, until it is closed.
 */
import * as Predicate from "effect/Predicate"
import { ClassicClient } from "./classic.ts"

export interface Imported {
  readonly name: string
  readonly id: string
  readonly flow_type: number
  readonly lacks: ReadonlyArray<{ readonly node_id: string; readonly type: string; readonly reason: string }>
}

export interface GraphNode {
  readonly id: string
  readonly data: {
    readonly type: string
    readonly node?: { readonly template?: Readonly<Record<string, { readonly value?: unknown }>> }
  }
}

export interface Person {
  readonly url: string
  readonly token: string
}

/** What the document says that the person uploads. */
export const documentText = [
  "# Annual report of Kestrel Windworks",
  "",
  "Kestrel Windworks builds small wind turbines in Aalborg. Revenue in 2031 was 48 million crowns.",
  "Its main supplier is Nordic Castings. Operating costs were 31 million crowns.",
  "",
  "Elements: name, revenue, supplier. Kestrel Windworks 公司主营业务的市场定位是小型风力发电机。客户名称是 Kestrel Windworks。"
].join("\n")

export const upload = async (
  { url, token }: Person,
  flowId: string,
  name: string,
  content: Uint8Array | string
): Promise<{ readonly file_path: string; readonly file_name: string }> => {
  const form = new FormData()
  form.append("file", new Blob([typeof content === "string" ? content : new Uint8Array(content)]), name)
  const response = await fetch(`${url}/api/v1/upload/${flowId}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: form
  })
  const envelope = JSON.parse(await response.text())
  if (envelope.status_code !== 200) throw new Error(JSON.stringify(envelope))
  return envelope.data
}

/** At most so many replies to what a workflow asks; then the person says stop. */
const patience = 6

const has = (nodes: ReadonlyArray<GraphNode>, ...types: ReadonlyArray<string>): boolean =>
  nodes.some(({ data }) => types.includes(data.type))

export const drive = async (
  person: Person,
  app: { readonly id: string; readonly flow_type: number },
  nodes: ReadonlyArray<GraphNode>,
  question: string
): Promise<ClassicClient> => {
  const client = new ClassicClient(person.url, app.id, `chat-${app.id.slice(0, 8)}`, person.token)
  if (app.flow_type === 10) await runWorkflow(client, question)
  else if (has(nodes, "Report")) await runBatch(client, person, app.id, nodes, "report")
  else if (has(nodes, "InputFileNode", "InputNode", "VariableNode")) {
    await runBatch(client, person, app.id, nodes, "auto_file")
    if (client.errors.length === 0) await ask(client, question)
  } else await ask(client, question)
  client.drop()
  return client
}

const closed = async (client: ClassicClient, before: number): Promise<void> => {
  await client.until("close", () => client.refused || (client.closes > before && !client.busy))
}

const ask = async (client: ClassicClient, question: string): Promise<void> => {
  const { closes } = client
  await client.send({ inputs: { input: question } })
  await closed(client, closes)
}

const runBatch = async (
  client: ClassicClient,
  person: Person,
  flowId: string,
  nodes: ReadonlyArray<GraphNode>,
  action: "auto_file" | "report"
): Promise<void> => {
  const isTable = has(nodes, "CSVLoader")
  const content = isTable ? "name,revenue\nKestrel Windworks,48 million crowns\n" : documentText
  const data: Array<object> = []
  for (const node of nodes) {
    if (node.data.type === "InputFileNode") {
      const file = await upload(person, flowId, isTable ? "report.csv" : "report.md", content)
      data.push({ id: node.id, file_path: file.file_path, name: file.file_name })
    }
    if (node.data.type === "VariableNode") {
      const names = texts(node.data.node?.template?.["variables"]?.value)
      data.push({ id: node.id, name: names, value: names.map(() => "Kestrel Windworks") })
    }
  }
  const { closes } = client
  await client.send({ action, inputs: { data } })
  await closed(client, closes)
}

const runWorkflow = async (client: ClassicClient, question: string): Promise<void> => {
  await client.send({ action: "check_status" })
  await client.until("close", () => client.refused || client.closes === 1)
  if (client.refused) return
  const answered = new Set<unknown>()
  await client.send({ action: "init_data", data: {} })
  const asks = () =>
    client.bubbles.findLast(
      ({ category, messageId }) =>
        ["input", "output_with_input_msg", "output_with_choose_msg"].includes(category) &&
        !answered.has(messageId)
    )
  for (let replies = 0; ; replies++) {
    await client.until("a prompt or close", () => asks() !== undefined || client.closes > 1)
    const prompt = asks()
    if (prompt === undefined || client.closes > 1) return
    if (replies === patience) {
      const { closes } = client
      await client.send({ action: "stop" })
      return closed(client, closes)
    }
    answered.add(prompt.messageId)
    const { message } = prompt
    if (!Predicate.isRecord(message)) throw new Error("a prompt without a message")
    await client.send({
      action: "input",
      data: {
        [String(message["node_id"])]: {
          data: replyTo(prompt.category, message, question),
          message: question,
          message_id: prompt.messageId
        }
      }
    })
  }
}

const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : []

const records = (value: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  Array.isArray(value) ? value.filter(Predicate.isRecord) : []

/** A person's reply: the question into a dialog, the first option of a choice in a form, the last choice offered. */
const replyTo = (
  category: string,
  message: Readonly<Record<string, unknown>>,
  question: string
): Readonly<Record<string, unknown>> => {
  if (category === "output_with_choose_msg") {
    const option = records(message["options"]).at(-1)
    return { [String(message["key"])]: option?.["id"] }
  }
  if (category === "output_with_input_msg") return { [String(message["key"])]: question }
  const schema = message["input_schema"]
  const fields = Predicate.isRecord(schema) ? records(schema["value"]) : []
  if (Predicate.isRecord(schema) && schema["tab"] === "dialog_input") return { user_input: question }
  return Object.fromEntries(
    fields.map((field) => {
      const option = records(field["options"])[0]
      return [String(field["key"]), option === undefined ? question : option["text"]]
    })
  )
}
