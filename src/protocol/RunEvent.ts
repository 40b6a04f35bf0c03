/**
 * What happens in a run, in the domain's own words. Handlers and apps yield these; they never see a
 * frame, a table or a socket. The recorder stores what must be stored and projects each event to frames.
 *
 * Text that streams token by token may go through the {@link DeltaSink} instead, which is the same
 * thing without a Stream element per token (see docs/architecture.md, "The hot path").
 */
import * as Context from "effect/Context"
import type * as Stream from "effect/Stream"
import type { RunFailed } from "./errors.ts"
import type { Json, ToolCategory } from "./frames.ts"

export type RunEvent =
  | TextDelta
  | ReasoningDelta
  | Step
  | ToolStarted
  | ToolEnded
  | Answered
  | Told
  | Waiting
  | Finished
  | OnStop

/** What is told at once and, where it is worth keeping, stored before it is told. */
export type Told =
  | Notice
  | Asked
  | PartAnswered
  | PartFailed
  | Gathered
  | FileMade
  | Divider
  | Utterance
  | Guide
  | NodeStarted
  | NodeEnded
  | NodeSaid
  | NodeStreamed

/** A piece of the answer's text. */
export interface TextDelta {
  readonly _tag: "TextDelta"
  readonly text: string
}

/** A piece of the model's reasoning. */
export interface ReasoningDelta {
  readonly _tag: "ReasoningDelta"
  readonly text: string
}

/** One line of what is going on ("searching 3 documents"), shown among the intermediate steps. */
export interface Step {
  readonly _tag: "Step"
  readonly text: string
}

export interface ToolStarted {
  readonly _tag: "ToolStarted"
  /** Unique within the session; joins start and end. */
  readonly id: string
  readonly category: ToolCategory
  readonly name: string
  /** The arguments as the model wrote them (JSON text). */
  readonly input: string
  /** The model's own id for the call, and which of its turns asked for it: kept for replay. */
  readonly callId: string
  readonly turn: number
}

export interface ToolEnded {
  readonly _tag: "ToolEnded"
  readonly id: string
  readonly output: string
  readonly failed: boolean
}

/** An answer, and what it rests on. */
export interface Answer {
  readonly text: string
  /** Where the answer comes from, as `Frame.source`. */
  readonly source: number
  readonly passages: ReadonlyArray<Passage>
  readonly usage: Usage
  /** What `Frame.extra` says beside: the links of source 3, the pair of source 4. */
  readonly extra?: { readonly [key: string]: Json }
}

/** The run's answer, its last event. `text` is the whole text, and replaces what was streamed. */
export interface Answered extends Answer {
  readonly _tag: "Answered"
}

/** How far a run of many questions is. `done` counts those before this one. */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** One line that closes the bubble that is open ("file received, parsing"). `next` opens another one. */
export interface Notice {
  readonly _tag: "Notice"
  readonly text: string
  readonly next: boolean
}

/** One of several questions begins. Stored. `row` counts from 0. */
export interface Asked {
  readonly _tag: "Asked"
  readonly text: string
  readonly row: number
  readonly progress: Progress
}

/** One of several questions is answered; replaces what was streamed since it was asked. Stored. */
export interface PartAnswered extends Answer {
  readonly _tag: "PartAnswered"
  readonly row: number
  readonly progress: Progress
}

/** One of several questions could not be answered; the rest go on. Stored, never given to the model. */
export interface PartFailed {
  readonly _tag: "PartFailed"
  readonly reason: string
  readonly row: number
  readonly progress: Progress
}

/** All answers of a batch in one bubble, as Markdown. Stored. */
export interface Gathered {
  readonly _tag: "Gathered"
  readonly text: string
}

/** A file that the run made, to be downloaded. Stored. */
export interface FileMade {
  readonly _tag: "FileMade"
  readonly name: string
  /** Signed, expiring. */
  readonly url: string
  /** The template's variables that nothing filled. */
  readonly unfilled: ReadonlyArray<string>
}

/** A line across the conversation ("this round is over"). Stored. */
export interface Divider {
  readonly _tag: "Divider"
  readonly text: string
}

/** Who an utterance of a group chat is for. */
export interface Receiver {
  readonly name: string
  /** The person at the client: the run waits for them. */
  readonly isSelf: boolean
}

/** A participant of a group chat has said something; replaces what was streamed of it. Stored. */
export interface Utterance {
  readonly _tag: "Utterance"
  readonly text: string
  readonly sender: string
  readonly receiver: Receiver | null
}

/** How a workflow greets. */
export interface Guide {
  readonly _tag: "Guide"
  readonly word: string
  /** Questions to begin with; none: no frame. */
  readonly questions: ReadonlyArray<string>
}

/** One execution of a workflow's node. `uniqueId` differs each time a node runs. */
export interface NodeRun {
  readonly uniqueId: string
  readonly nodeId: string
  readonly name: string
}

export interface NodeStarted extends NodeRun {
  readonly _tag: "NodeStarted"
}

export interface NodeEnded extends NodeRun {
  readonly _tag: "NodeEnded"
  /** Why it failed, or null. */
  readonly reason: string | null
  /** What went in and came out, for the editor. */
  readonly logData: Json
  readonly inputData: Json
}

export type NodeBubble = "input" | "output_msg" | "output_with_input_msg" | "output_with_choose_msg"

/**
 * A node's whole message. All but `output_msg` ask the person something: they are said again to whoever asks
 * for the state of a run that waits. Stored.
 */
export interface NodeSaid {
  readonly _tag: "NodeSaid"
  readonly category: NodeBubble
  /** As clients read it, `node_id` included. */
  readonly message: { readonly [key: string]: Json }
  readonly files: ReadonlyArray<Json>
  readonly source: number
  readonly passages: ReadonlyArray<Passage>
}

/** A node's streamed message is complete; `run` and `outputKey` are those its sink was opened with. Stored. */
export interface NodeStreamed extends Answer {
  readonly _tag: "NodeStreamed"
  readonly run: NodeRun
  readonly outputKey: string
  readonly reasoning: string
}

/**
 * The last event of a run that waits for a person. Nothing runs meanwhile: what is needed to go on is `state`,
 * kept with the run's row, so that the wait outlives sockets and servers.
 */
export interface Waiting {
  readonly _tag: "Waiting"
  readonly state: Json
}

/** The last event of a run whose answers were all told on the way. */
export interface Finished {
  readonly _tag: "Finished"
  readonly usage: Usage
}

/** From here on, a stop tells these before the run's end. They must be quick. */
export interface OnStop {
  readonly _tag: "OnStop"
  readonly events: Stream.Stream<Told, RunFailed>
}

/** A place on a page: left, top, right, bottom, in points from the page's top left corner. */
export interface Box {
  readonly page: number
  readonly box: readonly [number, number, number, number]
}

/** A retrieved piece of a document, kept under the answer for source tracing. */
export interface Passage {
  readonly text: string
  readonly fileId: string
  readonly fileName: string
  /** Counts from 1; null where the document has no pages. */
  readonly page: number | null
  readonly score: number
  /** Where on the pages it stands, as far as the document tells. */
  readonly boxes?: ReadonlyArray<Box>
  /** Of a passage that comes from the web. */
  readonly url?: string
}

/** Tokens as the model's server counted them; zero where it did not say. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
}

export const noUsage: Usage = { promptTokens: 0, completionTokens: 0 }

/**
 * Where streaming text goes: synchronous and cheap, so that a token costs no fiber and no Stream element.
 * Order against yielded events holds as long as the stream between is not buffered.
 */
export interface DeltaSink {
  readonly text: (delta: string) => void
  readonly reasoning: (delta: string) => void
}

/** The sink of the running run; the recorder provides it. */
export class Deltas extends Context.Tag("colloquy/Deltas")<Deltas, RunSink>() {}

export interface RunSink extends DeltaSink {
  /** The sink of one node's own bubble; several may be open at once. `NodeStreamed` closes it. */
  readonly node: (run: NodeRun, outputKey: string) => DeltaSink
}

/** For text that nobody is to see. */
export const silent: RunSink = { text: () => undefined, reasoning: () => undefined, node: () => silent }
