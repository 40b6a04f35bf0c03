/** What the clients of one session saw, and what the server says of it at the end: all that is checked. */

/** A position in a session's log. */
export interface Place {
  readonly epoch: string
  readonly seq: number
}

/** One frame as it was shown to one client. */
export interface Shown {
  readonly kind: "frame"
  readonly at: number
  /** Of the log it belongs to; null to a classic client, who is not told. */
  readonly epoch: string | null
  /** The numbers it covers; null where it is for this socket alone. */
  readonly first: number | null
  readonly seq: number | null
  readonly chatId: string
  readonly type: string
  readonly category: string
  readonly runId: string | null
  /** Streamed text, and streamed reasoning. */
  readonly content: string
  readonly reasoning: string
  /** `message` where it is a text. */
  readonly text: string
  readonly messageId: number | null
  readonly question: {
    readonly messageId: number | null
    readonly message: string
    readonly clientMsgId: string | null
  } | null
  /** `status_code` of an error frame. */
  readonly status: number | null
  /** Tells frames apart: the same for the same frame, whoever is shown it. "" of streamed text. */
  readonly digest: string
}

export type Seen =
  /** A socket was opened, with this wish to resume. */
  | { readonly kind: "dialled"; readonly at: number; readonly resume: Place | null }
  /** The client was told where it is. */
  | {
      readonly kind: "placed"
      readonly at: number
      readonly epoch: string
      readonly seq: number
      readonly status: string
      readonly runId: string | null
      readonly recovered: boolean
    }
  | Shown
  /** It read the history: these questions and answers are known from there. */
  | { readonly kind: "loaded"; readonly at: number; readonly ids: ReadonlyArray<number> }
  | { readonly kind: "left"; readonly at: number; readonly why: string }
  /** What the client said; for people who read the events. */
  | { readonly kind: "said"; readonly at: number; readonly what: string }

/** A question as its client knows it. Its text is unlike any other. */
export interface Asked {
  readonly id: string
  readonly text: string
  /** The server has told that it was accepted. */
  readonly acknowledged: boolean
  /** Said again, under the same id, until it is acknowledged. */
  readonly insistent: boolean
}

/** One client's side. */
export interface View {
  readonly client: string
  readonly native: boolean
  readonly seen: ReadonlyArray<Seen>
  readonly asked: ReadonlyArray<Asked>
  /** Whether it has a socket at the end. */
  readonly attached: boolean
}

/** A stored message. */
export interface Row {
  readonly id: number
  readonly category: string
  readonly message: string
  readonly remark: string
  readonly runId: string | null
}

export interface RunRow {
  readonly id: string
  readonly status: string
  /** The node that had it, and from when to when, in ms since 1970; null: it did not begin, or has not ended. */
  readonly ran: { readonly node: string; readonly from: number; readonly until: number } | null
}

export interface SessionRecord {
  readonly chatId: string
  readonly views: ReadonlyArray<View>
  /** All of it, oldest first. */
  readonly history: ReadonlyArray<Row>
  /** The latest; null where the server does not tell. */
  readonly runs: ReadonlyArray<RunRow> | null
  /** Whether those are all runs that there were. */
  readonly areAllRuns: boolean
}

/** What is wrong, as whoever finds it says it. */
export interface Complaint {
  readonly kind: string
  readonly text: string
  /** May be gone a moment later. */
  readonly passing?: boolean
  /** When it was seen. */
  readonly at?: number
}

export interface Violation {
  readonly kind: string
  readonly chatId: string
  readonly client: string | null
  readonly text: string
  /** May be gone a moment later: something is on its way. */
  readonly passing: boolean
  /** When it was seen, where that is one moment. */
  readonly at: number | null
}
