/** How a run's answer grows by what it tells on its way: utterances, rows, replies, files, nodes. Pure. */
import type { RunTelling } from "./events.ts"
import {
  type AssistantMessage,
  noWork,
  type Part,
  type Progress,
  type PromptPart,
  type ReplyPart,
  type RowPart,
  type SaidPart,
  type Work
} from "./messages.ts"
import type { Prompt } from "./prompts.ts"

export const tell = (run: AssistantMessage, event: RunTelling): AssistantMessage => {
  const id = partId(run)
  switch (event.type) {
    case "speaking":
      return { ...run, speaker: event.speaker }
    case "utterance": {
      const { speaker, to, text, messageId } = event
      const part: SaidPart = {
        ...silence(id, speaker),
        to,
        text,
        messageId,
        status: "done",
        work: workOf(run)
      }
      return { ...withPart(settle(run), part), speaker: null }
    }
    case "row_asked":
      return asked(run, event)
    case "row_answered":
      return answered(run, event)
    case "notice":
      return withPart(run, { kind: "notice", id, messageId: null, text: event.text })
    case "gathered":
    case "divider":
      return withPart(run, { kind: event.type, id, messageId: event.messageId, text: event.text })
    case "guide":
      return withPart(run, { kind: "guide", id, messageId: null, text: event.text })
    case "starters":
      return withPart(run, { kind: "starters", id, messageId: null, questions: event.questions })
    case "file": {
      const { name, url, unfilled, messageId } = event
      return withPart(run, { kind: "file", id, messageId, name, url, unfilled })
    }
    case "node_started": {
      const { uniqueId, nodeId, name, at } = event
      const node = { uniqueId, nodeId, name, reason: "", log: null, startedAt: at, endedAt: null }
      return { ...run, nodes: [...run.nodes, { ...node, status: "running" }] }
    }
    case "node_ended": {
      const { reason, log, at } = event
      const status = reason === "" ? "done" : "failed"
      const ended = { status, reason, log, endedAt: at } as const
      return {
        ...run,
        nodes: run.nodes.map((node) => (node.uniqueId === event.uniqueId ? { ...node, ...ended } : node))
      }
    }
    case "node_text": {
      const place = streamPlace(run, event.stream)
      const found = place === -1 ? silence(id, event.name, event.stream) : run.parts[place]
      if (found?.kind !== "said") return run
      const part: SaidPart = {
        ...found,
        text: found.text + event.text,
        work: { ...found.work, reasoning: found.work.reasoning + event.reasoning }
      }
      return place === -1 ? withPart(run, part) : { ...run, parts: run.parts.with(place, part) }
    }
    case "node_said": {
      const { name, stream, text, reasoning, files, messageId, source, links, pair } = event
      const place = stream === null ? -1 : streamPlace(run, stream)
      const found = run.parts[place]
      const work = { ...noWork, reasoning }
      const said = { text, files, messageId, source, links, pair, status: "done", work } as const
      if (found?.kind !== "said") return withPart(run, { ...silence(id, name, stream), ...said })
      const kept = reasoning === "" ? found.work : work
      return { ...run, parts: run.parts.with(place, { ...found, ...said, work: kept }) }
    }
  }
}

const partId = (run: AssistantMessage): string => `${run.id}:${run.parts.length}`

export const withPart = (run: AssistantMessage, part: Part): AssistantMessage => ({
  ...run,
  parts: [...run.parts, part]
})

/** A text of which nothing is said yet. */
export const silence = (id: string, speaker: string, stream: string | null = null): SaidPart => ({
  kind: "said",
  id,
  messageId: null,
  speaker,
  to: null,
  stream,
  text: "",
  files: [],
  source: 0,
  links: [],
  pair: "",
  status: "running",
  work: noWork
})

const streamPlace = (run: AssistantMessage, stream: string): number =>
  run.parts.findLastIndex(
    (part) => part.kind === "said" && part.stream === stream && part.status === "running"
  )

export const workOf = ({ reasoning, steps, tools }: AssistantMessage): Work => ({ reasoning, steps, tools })

/** What was streamed belongs to a part from now on. */
export const settle = (run: AssistantMessage): AssistantMessage => ({ ...run, ...noWork, text: "" })

const asked = (
  run: AssistantMessage,
  { row, text, progress, messageId }: Extract<RunTelling, { type: "row_asked" }>
): AssistantMessage => {
  const fresh: RowPart = {
    kind: "row",
    id: partId(run),
    messageId,
    row,
    question: text,
    text: "",
    source: 0,
    links: [],
    pair: "",
    status: "running",
    work: noWork
  }
  // A row that failed or broke off before is asked once more.
  const place = rowPlace(run, row)
  const before = run.parts[place]
  const again = before?.kind === "row" && before.status !== "done"
  const parts = again ? run.parts.with(place, { ...fresh, id: before.id }) : [...run.parts, fresh]
  return counted({ ...settle(run), parts }, progress)
}

const answered = (
  run: AssistantMessage,
  event: Extract<RunTelling, { type: "row_answered" }>
): AssistantMessage => {
  const { row, text, failed, progress, messageId, source, links, pair } = event
  const place = rowPlace(run, row)
  const before = run.parts[place]
  const part: RowPart = {
    kind: "row",
    id: before?.id ?? partId(run),
    row,
    question: before?.kind === "row" ? before.question : "",
    text,
    messageId,
    source,
    links,
    pair,
    status: failed ? "failed" : "done",
    work: workOf(run)
  }
  const parts = before === undefined ? [...run.parts, part] : run.parts.with(place, part)
  return counted({ ...settle(run), parts }, progress)
}

export const rowPlace = (run: AssistantMessage, row: number): number =>
  run.parts.findLastIndex((part) => part.kind === "row" && part.row === row)

/** The server counts the rows before this one; rows that we saw end may be more. */
export const counted = (run: AssistantMessage, progress: Progress | null): AssistantMessage => {
  if (progress === null) return run
  const ended = run.parts.filter((part) => part.kind === "row" && part.status !== "running").length
  return { ...run, progress: { total: progress.total, done: Math.max(progress.done, ended) } }
}

/** The row that is being answered, or -1. */
export const openRow = (run: AssistantMessage): number =>
  run.parts.findLastIndex((part) => part.kind === "row" && part.status === "running")

/** Nothing of it goes on. What was being written belongs to the row in progress, where there is one. */
export const ended = (run: AssistantMessage): AssistantMessage => {
  const { text } = run
  const work = workOf(run)
  return {
    ...(openRow(run) === -1 ? run : settle(run)),
    speaker: null,
    parts: run.parts.map((part) => {
      if (part.kind === "row" && part.status === "running") return { ...part, text, work, status: "stopped" }
      return part.kind === "said" && part.status === "running" ? { ...part, status: "stopped" } : part
    }),
    nodes: run.nodes.map((node) => (node.status === "running" ? { ...node, status: "stopped" } : node))
  }
}

/** A prompt is told again where it was lost: the same question stands once. */
export const prompted = (run: AssistantMessage, prompt: Prompt): AssistantMessage => {
  // In a group chat the question is what was said.
  if (prompt.kind === "continue" || run.parts.some((part) => isPrompt(part, prompt))) return run
  const part: PromptPart = { kind: "prompt", id: partId(run), messageId: prompt.messageId, prompt }
  return withPart(run, part)
}

const isPrompt = (part: Part, prompt: Prompt): boolean =>
  part.kind === "prompt" && part.messageId !== null && part.messageId === prompt.messageId

export const samePrompt = (a: Prompt, b: Prompt): boolean => a.runId === b.runId && a.nodeId === b.nodeId

/** A reply, in the place of the same one said before. */
export const replied = (run: AssistantMessage, reply: ReplyPart): AssistantMessage => {
  const place = run.parts.findIndex(
    (part) => part.kind === "reply" && part.clientMsgId !== null && part.clientMsgId === reply.clientMsgId
  )
  const before = run.parts[place]
  if (before?.kind !== "reply") return withPart(run, reply)
  const createdAt = before.createdAt ?? reply.createdAt
  return { ...run, parts: run.parts.with(place, { ...reply, id: before.id, createdAt }) }
}

/** What tells parts apart across history and live: the stored message, and of rows their number. */
const keyOf = (part: Part): string | null =>
  part.kind === "row" ? `row ${part.row}` : part.messageId === null ? null : `${part.messageId}`

/** Stored parts with those seen live, in the order of their ids; what has none keeps its place among the live ones. */
export const mergeParts = (stored: ReadonlyArray<Part>, live: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const keys = new Set(live.map(keyOf))
  const known = new Map(stored.map((part) => [keyOf(part), part]))
  const missing = stored.filter((part) => !keys.has(keyOf(part)))
  const merged: Array<Part> = []
  let next = 0
  for (const part of live) {
    const { messageId } = part
    for (let other = missing[next]; other !== undefined; other = missing[next]) {
      if (messageId === null || (other.messageId ?? 0) > messageId) break
      merged.push(other)
      next += 1
    }
    const whole = known.get(keyOf(part))
    const isBehind = part.kind === "row" && part.status === "running" && whole?.kind === "row"
    merged.push(isBehind ? { ...whole, id: part.id } : part)
  }
  return [...merged, ...missing.slice(next)]
}
