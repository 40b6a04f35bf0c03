/**
 * What the in-memory stores share. Each of their operations is one synchronous step, which is why plain maps
 * are enough: nobody sees half of it. Rows are replaced, never changed, so that a row once handed out stays
 * what it was.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AuditEntry } from "../Audit.ts"
import type { Wait } from "../Runs.ts"
import type {
  ChatMessage,
  Flow,
  FlowVersion,
  MessageSession,
  NewRecallChunk,
  ReportTemplate,
  StoredFile,
  User
} from "../rows.ts"
import { RunTable } from "./RunTable.ts"

export interface MemoryState {
  readonly sessions: Map<string, MessageSession & { readonly deleted: boolean }>
  readonly messages: Map<number, ChatMessage>
  /** Ids of a chat's messages, oldest first. */
  readonly chats: Map<string, Array<number>>
  /** By the id of the message they support. */
  readonly passages: Map<number, ReadonlyArray<NewRecallChunk>>
  readonly runs: RunTable
  /** By run. */
  readonly waits: Map<string, Wait>
  /** Ids of runs that ended while they waited, and whose end somebody may not know. */
  readonly untold: Set<string>
  /** Apps with their graphs as JSON text: whoever reads one gets a copy of his own. */
  readonly flows: Map<string, Omit<Flow, "data"> & { readonly json: string; readonly deleted: boolean }>
  readonly versions: Map<number, Omit<FlowVersion, "data" | "is_current"> & { readonly json: string }>
  readonly users: Map<number, User & { readonly password: string }>
  readonly audit: Array<AuditEntry & { readonly id: number; readonly create_time: Date }>
  readonly files: Map<string, StoredFile>
  /** By app, oldest version first. */
  readonly templates: Map<string, ReadonlyArray<ReportTemplate>>
  /** The next number of its kind. */
  readonly next: (kind: "message" | "version" | "user") => number
}

export const emptyState = (): MemoryState => {
  const last = { message: 0, version: 0, user: 0 }
  return {
    sessions: new Map(),
    messages: new Map(),
    chats: new Map(),
    passages: new Map(),
    runs: new RunTable(),
    waits: new Map(),
    untold: new Set(),
    flows: new Map(),
    versions: new Map(),
    users: new Map(),
    audit: [],
    files: new Map(),
    templates: new Map(),
    next: (kind) => ++last[kind]
  }
}

/** One step at one moment. */
export const at = <A>(step: (now: Date) => A): Effect.Effect<A> =>
  Effect.map(Clock.currentTimeMillis, (ms) => step(new Date(ms)))

export const contains = (text: string, part: string): boolean =>
  text.toLowerCase().includes(part.toLowerCase())

export const pageOf = <A>(rows: ReadonlyArray<A>, page: number, limit: number): ReadonlyArray<A> => {
  const from = (Math.max(1, page) - 1) * limit
  return rows.slice(from, from + limit)
}
