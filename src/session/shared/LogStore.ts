/**
 * What the nodes share about sessions: who may write a session's frames, the frames that are kept, and a way
 * to tell each other at once. Each step is whole or not at all.
 *
 * A lease carries a fence: a number that no earlier holder had. Whoever writes names its fence, and is refused
 * where somebody else has claimed the session since. How long a lease lasts is not the store's affair: it is
 * taken over from a node that has been silent for too long (`Nodes`).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { RedisError } from "../../redis/RedisError.ts"

export interface Claim {
  readonly self: string
  /** Its lease has run out: it may be taken from this node. */
  readonly dead: string | null
  /** Where nothing is kept of the session, or less than is `known`: what it begins with. */
  readonly epoch: string
  readonly seq: number
  readonly known: { readonly epoch: string; readonly seq: number }
  /**
   * It has held the session all along, and tells again what the store has lost. Until it has, nobody else can go on
   * under that epoch: the next claim begins a new one.
   */
  readonly continues: boolean
}

export interface Yours {
  readonly _tag: "Yours"
  readonly fence: string
  readonly epoch: string
  readonly seq: number
}

export type Claimed = Yours | { readonly _tag: "Held"; readonly owner: string }

export interface Append {
  readonly fence: string
  /** The last number before the batch, and the last one in it. */
  readonly after: number
  readonly last: number
  readonly batch: string
  /** Whether a run is in progress after it: its frames are kept until it ends. */
  readonly running: boolean
}

/** `At`: the store's last number is another one; nothing was appended. `Gone`: nothing is kept of the session. */
export type Appended =
  | { readonly _tag: "Ok" }
  | { readonly _tag: "At"; readonly seq: number }
  | { readonly _tag: "Fenced" }
  | { readonly _tag: "Gone" }

export type AppendAnswer = Either.Either<Appended, RedisError>

export interface Kept {
  readonly epoch: string
  readonly seq: number
  readonly owner: string
  /** In their order. The first may begin before what was asked for. */
  readonly batches: ReadonlyArray<string>
}

/** Which nodes live, as a beat is answered. */
export interface Roll {
  /** The store knew of this node before. */
  readonly wasKnown: boolean
  /** How many there are, this one and silent ones included; those that have left are not. */
  readonly count: number
  /** Those that have not said for so long that they live. */
  readonly silent: ReadonlyArray<string>
  /** All of them; null: not asked for. */
  readonly all: ReadonlyArray<string> | null
}

/** How a session stands, without its frames. */
export type Glance = Omit<Kept, "batches">

export interface Listener {
  readonly heard: (text: string) => void
  /** Of a session alone. */
  readonly noted?: (text: string) => void
  /** Listening has begun, or begun again: what was said before was not heard. */
  readonly began: () => void
}

export interface LogStoreService {
  /**
   * Its holder may claim again, and gets a new fence. A new epoch begins where something that was kept may be
   * lost: the store is not the process that it was at the last claim.
   */
  readonly claim: (key: string, claim: Claim) => Effect.Effect<Claimed, RedisError>
  /** Has whoever holds it, if anybody does, know when it gives it back that somebody wants it. */
  readonly want: (key: string) => Effect.Effect<void, RedisError>
  /** Every token passes here, so it is no effect: `answer` is called once, later. */
  readonly append: (key: string, append: Append, answer: (result: AppendAnswer) => void) => void
  /**
   * Answers whether somebody else has wanted it, or tried to claim it, meanwhile. Nothing happens where the fence is not the holder's, or was
   * given back before, and nobody knows then: true.
   */
  readonly release: (key: string, fence: string) => Effect.Effect<boolean, RedisError>
  readonly read: (key: string, after: number) => Effect.Effect<Option.Option<Kept>, RedisError>
  /** For whoever wants to know whether there is something to read. */
  readonly glance: (keys: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Glance | null>, RedisError>
  /** Says that a node lives. `silentFor` in milliseconds. */
  readonly beat: (
    self: string,
    asked: { readonly silentFor: number; readonly all: boolean }
  ) => Effect.Effect<Roll, RedisError>
  readonly leave: (self: string) => Effect.Effect<void, RedisError>
  /** Batches of a session, as they are appended, until the scope closes. Begins in the background. */
  readonly follow: (key: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  /** Says something to all that follow a session, as `noted`; it is not kept. */
  readonly note: (key: string, text: string) => Effect.Effect<void, RedisError>
  /** How many nodes follow a session, this one included. */
  readonly followers: (key: string) => Effect.Effect<number, RedisError>
  /** What other nodes say to this one, until the scope closes. */
  readonly attend: (self: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  /** Says something to a node; nobody answers for its arrival. */
  readonly tell: (node: string, text: string) => Effect.Effect<void, RedisError>
}

/** None: this node is alone. */
export class LogStore extends Context.Tag("colloquy/session/LogStore")<
  LogStore,
  Option.Option<LogStoreService>
>() {}

/** An append as an effect. It cannot be called off. */
export const appending = (
  store: LogStoreService,
  key: string,
  append: Append
): Effect.Effect<Appended, RedisError> => Effect.async((resume) => store.append(key, append, resume))
