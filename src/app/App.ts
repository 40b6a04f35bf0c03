/**
 * An app that can answer: a skill, an assistant or a workflow, built and ready. Adding a kind of app is
 * adding one file that makes such a value from the app's record.
 */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Stream from "effect/Stream"
import type { ModelMessage } from "../model/LanguageModel.ts"
import type { AppNotBuilt, RunFailed } from "../protocol/errors.ts"
import type { Deltas, RunEvent } from "../protocol/RunEvent.ts"
import type { FlowType } from "../storage/rows.ts"

export type AppKind = "skill" | "assistant" | "workflow"

export interface Question {
  /** The question's text. */
  readonly text: string
  /** Everything the client sent under `inputs`. */
  readonly inputs: Readonly<Record<string, unknown>>
  readonly userId: number
  /** The last complete rounds of the conversation, oldest first, tool calls included. */
  readonly history: ReadonlyArray<ModelMessage>
}

export type Answering = Stream.Stream<RunEvent, RunFailed, Deltas>

export interface App {
  readonly flowId: string
  readonly flowType: FlowType
  readonly kind: AppKind
  readonly name: string
  /** What happens to a run when its last socket is gone. */
  readonly onDisconnect: "continue" | "cancel"
  /** The key of `inputs` that carries the question; other string values are accepted when it is absent. */
  readonly inputKey: string
  /** One run. Interrupting it ends the model's work at once. */
  readonly answer: (question: Question) => Answering
  /**
   * Until its first event it reads, and asks models, and changes nothing: it may begin while its question is being
   * accepted. Where the question is refused nothing was said, and a model was asked in vain.
   */
  readonly asksModelFirst?: boolean
  /** Of an app that stops and asks a person: how it goes on. Absent: its runs never wait. */
  readonly resume?: Resumption
  /** Of an app with nodes for files, variables or preset questions. */
  readonly form?: Form
  /** Of an app whose output is a document. */
  readonly report?: Report
}

/** A person's reply to a run that waits: `{action:"continue", inputs}` or `{action:"input", data}`. */
export interface Reply {
  readonly action: "continue" | "input"
  /** Not yet trusted. */
  readonly body: unknown
}

export interface Resumption {
  /**
   * What the reply says, for the history, where it fits what waits; left: why it does not, for people.
   * `state` is what the run's `Waiting` held.
   */
  readonly accept: (state: unknown, reply: Reply) => Either.Either<{ readonly text: string }, string>
  /** Goes on from `state`. `question` is the one that began the run, with the history before it. */
  readonly run: (state: unknown, reply: Reply, question: Question) => Answering
}

/** What the app's input nodes may be given before a question is asked, by node. */
export interface Form {
  readonly questions: ReadonlyArray<{ readonly nodeId: string; readonly texts: ReadonlyArray<string> }>
  readonly files: ReadonlyArray<{ readonly nodeId: string; readonly label: string }>
  readonly variables: ReadonlyArray<{ readonly nodeId: string; readonly names: ReadonlyArray<string> }>
  /** Whether anything in the graph takes a question at all. */
  readonly takesQuestion: boolean
  /** The same app with these values in its nodes. Built once however many ask for the same values. */
  readonly fill: (values: FormValues) => Effect.Effect<App, AppNotBuilt | RunFailed>
}

export interface FormValues {
  /** The file of an input node, by node: its id as the upload answered it. */
  readonly files: Readonly<Record<string, string>>
  /** Values of a variable node, by node and name. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A document in sections: each asks its questions of its own chain. */
export interface Report {
  /** The file's name, with or without ".docx". */
  readonly name: string
  readonly sections: ReadonlyArray<ReportSection>
  /** Values that the template may name, beside the sections' answers. */
  readonly variables: Readonly<Record<string, string>>
}

export interface ReportSection {
  /** The chain's node. */
  readonly nodeId: string
  readonly question: string
  /** Names under which the template may ask for the answer, the most specific first. */
  readonly keys: ReadonlyArray<string>
  readonly answer: (question: Question) => Answering
}
