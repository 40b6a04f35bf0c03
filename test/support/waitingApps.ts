/** Apps that stop and ask a person, scripted: a group chat of two and a person, and a workflow with a form. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { Answering, App, Reply } from "../../src/app/App.ts"
import { Catalogue } from "../../src/app/Catalogue.ts"
import { RunFailed } from "../../src/protocol/errors.ts"
import { Deltas, noUsage, type RunEvent } from "../../src/protocol/RunEvent.ts"

export const groupId = "6".repeat(32)
export const workflowId = "a".repeat(32)

const says = (text: string): Answering =>
  Stream.drain(Stream.fromEffect(Effect.map(Deltas, (sink) => sink.text(text))))

const events = (...all: ReadonlyArray<RunEvent>): Answering => Stream.fromIterable(all)

/** Ada greets the person, who answers; then Bob has the last word. */
const group: App = {
  flowId: groupId,
  flowType: 1,
  kind: "skill",
  name: "Group",
  onDisconnect: "continue",
  inputKey: "input",
  answer: ({ text }) =>
    Stream.concat(
      says(`Ada on ${text}`),
      events(
        {
          _tag: "Utterance",
          text: `Ada on ${text}`,
          sender: "Ada",
          receiver: { name: "you", isSelf: true }
        },
        { _tag: "Waiting", state: { topic: text } }
      )
    ),
  resume: {
    accept: (_state, { action, body }) =>
      action === "continue" && typeof body === "string" && body.trim() !== ""
        ? Either.right({ text: body })
        : Either.left("inputs: must be a text that is not empty"),
    run: (state, { body }, { history }) =>
      Stream.concat(
        says(`Bob: ${String(body)}`),
        events(
          {
            _tag: "Utterance",
            text: `Bob: ${String(body)} ${JSON.stringify(state)} after ${history.length}`,
            sender: "Bob",
            receiver: null
          },
          { _tag: "Divider", text: "round over" },
          { _tag: "Finished", usage: noUsage }
        )
      )
  }
}

const node = (nodeId: string) => ({ uniqueId: `${nodeId}-1`, nodeId, name: nodeId })

const inputData = (body: unknown): unknown =>
  Predicate.isRecord(body) && Predicate.isRecord(body["input_1"]) ? body["input_1"]["data"] : undefined

const nameIn = (reply: Reply): string | null => {
  const data = inputData(reply.body)
  return Predicate.isRecord(data) && typeof data["name"] === "string" ? data["name"] : null
}

/** Greets, asks for a name, answers with it. "fail" as the name fails; "hold" never ends. */
const workflow: App = {
  flowId: workflowId,
  flowType: 10,
  kind: "workflow",
  name: "Flow",
  onDisconnect: "continue",
  inputKey: "input",
  answer: () =>
    events(
      { _tag: "NodeStarted", ...node("start_1") },
      { _tag: "Guide", word: "Welcome", questions: ["Who am I?"] },
      { _tag: "NodeEnded", ...node("start_1"), reason: null, logData: null, inputData: null },
      { _tag: "NodeStarted", ...node("input_1") },
      {
        _tag: "NodeSaid",
        category: "input",
        message: { node_id: "input_1", input_schema: { tab: "form_input", value: [{ key: "name" }] } },
        files: [],
        source: 0,
        passages: []
      },
      { _tag: "Waiting", state: { waits: "input_1" } }
    ),
  resume: {
    accept: (_state, reply) => {
      if (reply.action !== "input") return Either.left("a workflow is answered by an input")
      const name = nameIn(reply)
      return name === null ? Either.left('node "input_1": "name" is missing') : Either.right({ text: name })
    },
    run: (_state, reply) => {
      const name = nameIn(reply) ?? ""
      const llm = node("llm_1")
      const streams: Answering = Stream.drain(
        Stream.fromEffect(
          Effect.map(Deltas, (sink) => {
            const own = sink.node(llm, "output")
            own.text("Hello ")
            own.text(name)
          })
        )
      )
      const opening = events(
        { _tag: "NodeEnded", ...node("input_1"), reason: null, logData: null, inputData: null },
        { _tag: "NodeStarted", ...llm }
      )
      const begun = Stream.concat(opening, streams)
      if (name === "fail") {
        return Stream.concat(
          begun,
          Stream.fail(new RunFailed({ reason: "llm_1: the model is gone", kind: "workflow" }))
        )
      }
      if (name === "hold") return Stream.concat(begun, Stream.never)
      return Stream.concat(
        begun,
        events(
          {
            _tag: "NodeStreamed",
            run: llm,
            outputKey: "output",
            text: `Hello ${name}`,
            reasoning: "",
            source: 1,
            passages: [{ text: "p", fileId: "f1", fileName: "a.md", page: 2, score: 1 }],
            usage: noUsage
          },
          { _tag: "NodeEnded", ...llm, reason: null, logData: { output: name }, inputData: null },
          { _tag: "Finished", usage: noUsage }
        )
      )
    }
  }
}

/** These beside the scripted ones. */
export const waitingApps: Layer.Layer<Catalogue, never, Catalogue> = Layer.effect(
  Catalogue,
  Effect.map(Catalogue, (catalogue) => ({
    ...catalogue,
    open: (flowId) => {
      const own = [group, workflow].find((app) => app.flowId === flowId)
      return own === undefined ? catalogue.open(flowId) : Effect.succeed(own)
    }
  }))
)
