/**
 * The right to run a session and to write its frames. One node at a time has it, from a question to the end
 * of the last run; all others follow.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Lease {
  /**
   * Takes the lease, or keeps it; from a dead node too. false: another node has it, or this cannot be known at
   * the moment.
   */
  readonly hold: Effect.Effect<boolean>
  /** Whoever holds it hears, when it gives it back, that somebody wants it. */
  readonly want: Effect.Effect<void>
  /** The node that had it when this one did not get it; "" where that is not known. */
  readonly holder: () => string
  /** Gives it back; false where something that was written is not `delivered` yet. */
  readonly letGo: Effect.Effect<boolean>
  /** Where the others take this node for the holder, and it is not: they need not any more. */
  readonly giveBack: Effect.Effect<void>
  /** Waits until everything that was written can be read on every node, or the lease is lost. */
  readonly delivered: Effect.Effect<void>
  /** Whether other nodes may have it. */
  readonly isShared: boolean
  /** Differs for every time the lease is taken; 0 while another node may have it. */
  readonly term: () => number
  /** The log is current as far as that can be known, and stays so until the scope closes. */
  readonly follow: Effect.Effect<void, never, Scope.Scope>
  /** Reads what the other nodes have told, up to now. */
  readonly catchUp: Effect.Effect<void>
  /** Says a frame that is not kept to the readers on all nodes that follow the session. */
  readonly notify: (json: string) => Effect.Effect<void>
  /** Whether other nodes follow the session. */
  readonly followedElsewhere: Effect.Effect<boolean>
}

/** Of a session that no other node can know. */
export const alone: Lease = {
  hold: Effect.succeed(true),
  want: Effect.void,
  holder: () => "",
  letGo: Effect.succeed(true),
  giveBack: Effect.void,
  delivered: Effect.void,
  isShared: false,
  term: () => 1,
  follow: Effect.void,
  catchUp: Effect.void,
  notify: () => Effect.void,
  followedElsewhere: Effect.succeed(false)
}
