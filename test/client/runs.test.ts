import { describe, expect, it } from "vitest"
import {
  type ChatState,
  initialState,
  type Part,
  reduce,
  type SessionEvent
} from "../../src/client/client.ts"
import { parseFrame } from "../../src/client/frame.ts"
import { Translator } from "../../src/client/Translator.ts"
import * as runs from "./runs.ts"
import * as wire from "./wire.ts"

/** A reader of frames, who keeps its place from one call to the next. */
const reader = (from: ChatState = initialState) => {
  const translator = new Translator()
  let state = from
  let seq = 1
  return (...frames: ReadonlyArray<wire.Fields>): ChatState => {
    for (const each of wire.numbered(seq, frames)) {
      seq += 1
      const frame = parseFrame(JSON.stringify(each))
      if (frame === null) throw new Error("no frame")
      for (const event of translator.translate(frame, 1000)) state = reduce(state, event)
    }
    return state
  }
}

const seen = (frames: ReadonlyArray<wire.Fields>, from?: ChatState): ChatState => reader(from)(...frames)

const answerOf = (state: ChatState) => {
  const answer = state.messages.findLast((message) => message.role === "assistant")
  if (answer?.role !== "assistant") throw new Error("there is no answer")
  return answer
}

const wordsOf = (part: Part): string => {
  switch (part.kind) {
    case "said":
      return `${part.speaker}: ${part.text}`
    case "row":
      return `${part.row} ${part.question} → ${part.text} (${part.status})`
    case "file":
      return `file ${part.name}`
    case "prompt":
      return `asks by ${part.prompt.kind}`
    case "starters":
      return `starters ${part.questions.join(", ")}`
    default:
      return `${part.kind} ${part.text}`
  }
}

const partsOf = (state: ChatState) => answerOf(state).parts.map(wordsOf)

const replying = (clientMsgId: string, nodeId: string, text: string): SessionEvent => ({
  type: "replying",
  runId: "r1",
  clientMsgId,
  nodeId,
  text,
  at: 1500
})

describe("a group chat", () => {
  it("shows who said what to whom, and waits when the person is spoken to", () => {
    const state = seen(runs.groupUntilAsked)
    expect(partsOf(state)).toEqual(["Writer: A draft.", "Critic: Too short. What do you think?"])
    expect(answerOf(state).parts).toMatchObject([
      { to: { name: "Critic", isSelf: false }, messageId: 2, work: { reasoning: "let me see" } },
      { to: { name: "You", isSelf: true }, messageId: 3 }
    ])
    expect(state.status).toBe("waiting")
    expect(state.waiting).toMatchObject({ kind: "continue", name: "Critic", runId: "r1" })
    expect(state.runId).toBe("r1")
  })

  it("shows who writes while they do", () => {
    const state = seen(runs.groupUntilAsked.slice(0, 5))
    expect(answerOf(state)).toMatchObject({ speaker: "Critic", text: "" })
    const writing = seen(runs.groupUntilAsked.slice(0, 6))
    expect(answerOf(writing)).toMatchObject({ speaker: "Critic", text: "Too short" })
    expect(writing.status).toBe("streaming")
  })

  it("goes on with the reply, in its place, and ends with a line", () => {
    const read = reader()
    let state = read(...runs.groupUntilAsked)
    state = reduce(state, replying("c2", "", "Longer, please"))
    expect(state).toMatchObject({ waiting: null, status: "submitted" })
    expect(answerOf(state).parts.at(-1)).toMatchObject({ kind: "reply", delivery: "sending" })
    state = reader(state)(...runs.groupAfterReply("c2"))
    expect(partsOf(state)).toEqual([
      "Writer: A draft.",
      "Critic: Too short. What do you think?",
      "reply Longer, please",
      "Writer: A longer draft.",
      "divider The round is over"
    ])
    expect(answerOf(state).parts[2]).toMatchObject({ delivery: "sent", messageId: 4, clientMsgId: "c2" })
    expect(state).toMatchObject({ status: "ready", waiting: null, runId: null })
    expect(answerOf(state).status).toBe("done")
  })

  it("asks again when the reply is refused, and says why beside it", () => {
    const waiting = reduce(seen(runs.groupUntilAsked), replying("c2", "", ""))
    const error = { code: 13007, message: "the input was not understood", detail: "the reply is empty" }
    const state = reduce(waiting, { type: "failed", runId: null, clientMsgId: "c2", error })
    expect(state.waiting).toMatchObject({ kind: "continue", replyId: null })
    expect(state.status).toBe("waiting")
    expect(answerOf(state).parts.at(-1)).toMatchObject({ kind: "reply", delivery: "failed", error })
  })

  it("keeps what a stopped speaker had said", () => {
    const state = seen([...runs.groupUntilAsked.slice(0, 6), ...wire.stoppedTail("r1", "", "Too short.")])
    expect(partsOf(state)).toEqual(["Writer: A draft."])
    expect(answerOf(state)).toMatchObject({ text: "Too short.", status: "stopped" })
    expect(state).toMatchObject({ waiting: null, status: "ready" })
  })

  it("is the same from its history", () => {
    const live = reader(reduce(seen(runs.groupUntilAsked), replying("c2", "", "Longer, please")))
    const state = live(...runs.groupAfterReply("c2"))
    const stored = reduce(initialState, runs.page(runs.groupRows))
    expect(partsOf(stored)).toEqual(partsOf(state))
    expect(partsOf(reduce(state, runs.page(runs.groupRows)))).toEqual(partsOf(state))
  })
})

describe("a batch", () => {
  it("tells each question's answer and how far it is, a failed one and the report included", () => {
    const state = seen(runs.batch)
    expect(partsOf(state)).toEqual([
      "notice file received, parsing",
      "0 Who? → Ada (done)",
      "1 When? → the model refused (failed)",
      "2 Where? → London (done)",
      "gathered ### Who? \nAda"
    ])
    expect(answerOf(state).progress).toEqual({ done: 3, total: 3 })
    expect(answerOf(state).parts[1]).toMatchObject({ source: 1, messageId: 11 })
  })

  it("counts as it goes", () => {
    const progress = runs.batch.map(
      (_, i) => answerOf(seen(runs.batch.slice(0, i + 1))).progress?.done ?? null
    )
    expect(progress.filter((done, i) => done !== progress[i - 1])).toEqual([null, 0, 1, 2, 3])
  })

  it("streams into the question in progress, and keeps it when stopped", () => {
    const half = runs.batch.slice(0, 6)
    expect(answerOf(seen(half))).toMatchObject({ text: "Ad" })
    const state = seen([...half, ...wire.stoppedTail("r1", "", "Ad")])
    expect(partsOf(state).at(-1)).toBe("0 Who? → Ad (stopped)")
    expect(answerOf(state)).toMatchObject({ status: "stopped", text: "" })
  })

  it("keeps the work on the question in progress with it when stopped, with or without text", () => {
    for (const tail of [[wire.text("r1", "Ad"), ...wire.stoppedTail("r1", "hm", "Ad")], [wire.close("r1")]]) {
      const state = seen([...runs.batch.slice(0, 5), wire.reasoning("r1", "hm"), ...tail])
      const answer = answerOf(state)
      expect(answer).toMatchObject({ text: "", reasoning: "" })
      const row = answer.parts.findLast(({ kind }) => kind === "row")
      expect(row).toMatchObject({ status: "stopped", work: { reasoning: "hm" } })
    }
  })

  it("is the same from its history, and asks a failed row anew in the same place", () => {
    const stored = reduce(initialState, runs.page(runs.batchRows))
    expect(partsOf(stored)).toEqual(partsOf(seen(runs.batch)).slice(1))
    const again = [
      wire.frame("end", "question", { run_id: "r1", intermediate_steps: "When?", extra: runs.place(1) }),
      wire.frame("end", "answer", { run_id: "r1", message: "1843", extra: runs.place(1), message_id: 20 })
    ]
    const state = seen([...runs.batch.slice(0, -1), ...again])
    expect(partsOf(state)[2]).toBe("1 When? → 1843 (done)")
  })
})

describe("a report", () => {
  it("ends with its file and what was left empty in it", () => {
    const state = seen(runs.report)
    expect(partsOf(state)).toEqual(["notice parsed, generating", "0 Who? → Ada (done)", "file Brief.docx"])
    expect(answerOf(state).parts.at(-1)).toMatchObject({
      url: "/api/v1/files/key",
      unfilled: ["signature", "date"],
      messageId: 12
    })
    expect(answerOf(state).status).toBe("done")
  })

  it("follows no link that is none", () => {
    const files = [{ file_url: "javascript:alert(1)", file_name: "Brief.docx" }]
    const state = seen([
      wire.begin("r1", wire.question("q", null)),
      wire.frame("end", "processing", { run_id: "r1", files, intermediate_steps: "made" })
    ])
    expect(partsOf(state)).toEqual(["notice made"])
  })
})

describe("a workflow", () => {
  it("greets, runs its nodes and asks for a line of dialogue", () => {
    const state = seen(runs.workflowUntilInput)
    expect(partsOf(state)).toEqual(["guide Hello.", "starters One?, Two?", "asks by input"])
    expect(answerOf(state).nodes).toMatchObject([{ name: "Start", status: "done" }])
    expect(state.waiting).toMatchObject({
      kind: "input",
      nodeId: "input_1",
      key: "user_input",
      filesKey: "dialog_files_content",
      messageId: 5
    })
    expect(state.status).toBe("waiting")
  })

  it("goes on through a stream to a choice, then ends", () => {
    const asked = reduce(seen(runs.workflowUntilInput), replying("c2", "input_1", "Tea"))
    const read = reader(asked)
    let state = read(...runs.workflowUntilChoice("c2"))
    expect(partsOf(state).slice(3)).toEqual(["reply Tea", "Writer: About tea.", "asks by choose"])
    expect(answerOf(state).parts[4]).toMatchObject({ status: "done", messageId: 7, source: 1 })
    expect(state.waiting).toMatchObject({
      kind: "choose",
      key: "output_result",
      options: [
        { id: "a", label: "Good" },
        { id: "b", label: "Again" }
      ]
    })
    state = read(...runs.workflowEnd)
    expect(state).toMatchObject({ waiting: null, status: "ready" })
    expect(answerOf(state)).toMatchObject({ status: "done", text: "" })
  })

  it("keeps streams apart that are written side by side", () => {
    const piece = (uniqueId: string, msg: string) =>
      wire.frame("stream", "stream_msg", { run_id: "r1", message: runs.streamed(uniqueId, msg) })
    const state = seen([
      wire.begin("r1", wire.question("", null)),
      piece("u1", "left "),
      piece("u2", "right "),
      piece("u1", "hand"),
      piece("u2", "foot")
    ])
    expect(partsOf(state)).toEqual(["Writer: left hand", "Writer: right foot"])
  })

  it("reads forms: kinds of fields, choices and what is required", () => {
    const state = seen([wire.begin("r1", wire.question("", null)), runs.form])
    expect(state.waiting).toMatchObject({
      kind: "form",
      fields: [
        { key: "name", label: "Your name", type: "text", required: true },
        { key: "size", type: "select", multiple: false, options: [{ id: "s", label: "Small" }, {}] },
        { key: "tags", type: "select", multiple: true },
        { key: "scan", type: "file", required: true, multiple: true, accept: "image" }
      ]
    })
  })

  it("lets a text be changed", () => {
    const state = seen([wire.begin("r1", wire.question("", null)), runs.edit])
    expect(state.waiting).toMatchObject({ kind: "edit", key: "output_result", initial: "Dear all" })
  })

  it("shows a failed node with its reason", () => {
    const state = seen([
      wire.begin("r1", wire.question("", null)),
      runs.node("start", "u1", "Look up"),
      runs.node("end", "u1", "Look up", "no documents"),
      ...wire.failedTail("r1")
    ])
    expect(answerOf(state)).toMatchObject({
      status: "failed",
      nodes: [{ status: "failed", reason: "no documents" }]
    })
  })

  it("asks what is still asked when branches ask side by side", () => {
    const two = seen([...runs.workflowUntilInput, runs.edit])
    expect(two.prompts.map(({ kind }) => kind)).toEqual(["input", "edit"])
    const one = reduce(two, replying("c2", "input_1", "Tea"))
    expect(one.waiting).toMatchObject({ kind: "edit" })
  })
})

describe("coming back to a run that waits", () => {
  const reopened = (state: ChatState, recovered: boolean) =>
    reduce(state, { type: "opened", recovered, runId: "r1" })

  it("still waits after a recovery, and takes the reply", () => {
    const state = reopened(seen(runs.workflowUntilInput), true)
    expect(state.status).toBe("waiting")
    expect(state.waiting).toMatchObject({ nodeId: "input_1" })
  })

  it("is told again what is asked, once, where the server started anew", () => {
    const lost = reopened(seen(runs.workflowUntilInput), false)
    expect(lost.waiting).toBe(null)
    expect(lost.messages.map(({ role }) => role)).toEqual(["user"])
    const loaded = reduce(lost, runs.page(runs.workflowRows))
    const prompt = runs.workflowUntilInput.at(-1) ?? {}
    const state = reader(loaded)(prompt)
    expect(state.waiting).toMatchObject({ nodeId: "input_1", messageId: 5 })
    expect(partsOf(state)).toEqual(["asks by input"])
    expect(answerOf(state).status).toBe("running")
    // And the other way round: the history comes after the prompt.
    const early = reduce(reader(lost)(prompt), runs.page(runs.workflowRows))
    expect(partsOf(early)).toEqual(["asks by input"])
    expect(early.status).toBe("waiting")
  })

  it("joins what is told after the reply with the history before it", () => {
    const lost = reopened(seen(runs.workflowUntilInput), false)
    const going = reader(lost)(...runs.workflowUntilChoice("c2"))
    const state = reduce(going, runs.page(runs.workflowRows))
    expect(partsOf(state)).toEqual(["asks by input", "reply Tea", "Writer: About tea.", "asks by choose"])
    expect(state.waiting).toMatchObject({ kind: "choose" })
  })

  it("takes what was said in it for replies, where its history begins without a question", () => {
    const state = reduce(
      initialState,
      runs.page([...runs.workflowRows, runs.reply(6, "Tea"), runs.reply(7, "Good")])
    )
    expect(state.messages.map(({ role }) => role)).toEqual(["assistant"])
    expect(partsOf(state)).toEqual(["asks by input", "reply Tea", "reply Good"])
  })

  it("asks nothing more when the run ended meanwhile", () => {
    const state = reduce(seen(runs.workflowUntilInput), { type: "opened", recovered: true, runId: null })
    expect(state).toMatchObject({ waiting: null, prompts: [] })
  })
})

describe("links and pairs", () => {
  it("lists the pages that an answer rests on", () => {
    const extra = JSON.stringify({
      doc: [{ title: "Tea", url: "https://tea.example/" }, { url: "javascript:1" }]
    })
    const state = seen([
      wire.begin("r1", wire.question("q", null)),
      wire.frame("start", "answer", { run_id: "r1" }),
      wire.frame("end", "answer", { run_id: "r1", message: "a", source: 3, extra })
    ])
    expect(answerOf(state).links).toEqual([{ title: "Tea", url: "https://tea.example/" }])
  })
})
