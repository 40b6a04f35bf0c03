/**
 * Requests that come while others are on their way leave together when these are back: the busier a node, the less
 * each costs it and the database.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Database } from "./Database.ts"
import { sizes } from "./statement.ts"

/** On their way at a time. With one alone, a request would wait for the whole of another before its own begins. */
const atOnce = 2

const most = Math.max(...sizes)

/** Where statements go over a connection; SQLite is called, and its one writer is alone anyway. */
export const batched = <A, B, E>(
  { sql, scope }: Database,
  options: BatcherOptions<A, B, E>
): ((request: A) => Effect.Effect<B, E>) =>
  sql.onDialectOrElse({
    mysql: () => {
      const batcher = new Batcher(options, scope)
      return (request: A) => batcher.make(request)
    },
    orElse: () => options.one
  })

/** The same for what is read of one key each; whoever waits for the same key shares its answer. */
export const batchedReads = <A, B, E>(
  database: Database,
  keyOf: (request: A) => string,
  many: (requests: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>
): ((request: A) => Effect.Effect<B, E>) =>
  batched(database, { keyOf, many, one: (request) => Effect.flatMap(many([request]), only), shares: true })

/** The answer to one request. */
export const only = <B>([answer]: ReadonlyArray<B>): Effect.Effect<B> =>
  answer === undefined ? unanswered : Effect.succeed(answer)

export interface BatcherOptions<A, B, E> {
  /** Requests of one key never leave together, unless they share an answer. */
  readonly keyOf: (request: A) => string
  /** Those of one key ask the same, and change nothing. */
  readonly shares?: boolean
  readonly one: (request: A) => Effect.Effect<B, E>
  /** All or none, answered in their order; where it fails, whatever the reason, each is made by itself. */
  readonly many: (requests: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, unknown>
}

interface Waiting<A, B, E> {
  readonly request: A
  readonly resume: (answer: Exit.Exit<B, E>) => void
}

type Group<A, B, E> = [Waiting<A, B, E>, ...Array<Waiting<A, B, E>>]

export class Batcher<A, B, E> {
  private readonly options: BatcherOptions<A, B, E>
  private readonly scope: Scope.Scope
  private away = 0
  private waiting: Array<Waiting<A, B, E>> = []

  /** What leaves together does so in `scope`: whoever asked may be gone before the answer. */
  constructor(options: BatcherOptions<A, B, E>, scope: Scope.Scope) {
    this.options = options
    this.scope = scope
  }

  make(request: A): Effect.Effect<B, E> {
    return Effect.uninterruptibleMask((restore) => {
      if (this.away === atOnce) return restore(this.wait(request))
      this.away += 1
      return Effect.ensuring(restore(this.options.one(request)), this.back)
    })
  }

  private wait(request: A): Effect.Effect<B, E> {
    return Effect.async((resume) => {
      const waiting = { request, resume }
      this.waiting.push(waiting)
      return Effect.sync(() => {
        this.waiting = this.waiting.filter((other) => other !== waiting)
      })
    })
  }

  private readonly back: Effect.Effect<void> = Effect.suspend(() => {
    this.away -= 1
    const leaving = this.load()
    if (leaving.length === 0) return Effect.void
    this.away += 1
    const carried = Effect.ensuring(this.carry(leaving), this.back)
    return Effect.asVoid(Effect.forkIn(Effect.uninterruptible(carried), this.scope))
  })

  /** Those that may leave together, in the order in which they came; of each key the first, or all where they share. */
  private load(): ReadonlyArray<Group<A, B, E>> {
    const found = new Map<string, Group<A, B, E>>()
    for (const one of this.waiting) {
      const key = this.options.keyOf(one.request)
      const same = found.get(key)
      if (same === undefined) {
        if (found.size < most) found.set(key, [one])
      } else if (this.options.shares === true) same.push(one)
    }
    const size = sizes.find((some) => some <= found.size) ?? 0
    const leaving = [...found.values()].slice(0, size)
    const gone = new Set(leaving.flat())
    this.waiting = this.waiting.filter((one) => !gone.has(one))
    return leaving
  }

  private carry(leaving: ReadonlyArray<Group<A, B, E>>): Effect.Effect<void> {
    const { one, many } = this.options
    const requests = leaving.map(([{ request }]) => request)
    const apart = Effect.forEach(requests, (request) => Effect.exit(one(request)), {
      concurrency: "unbounded"
    })
    const together = many(requests).pipe(
      Effect.map((answers): ReadonlyArray<Exit.Exit<B, E>> => answers.map(Exit.succeed)),
      Effect.catchAllCause((cause) =>
        Effect.zipRight(Effect.logDebug("what was asked together is asked one by one", cause), apart)
      )
    )
    return Effect.map(leaving.length === 1 ? apart : together, (answers) => {
      for (const [i, group] of leaving.entries()) {
        for (const { resume } of group) resume(answers[i] ?? unanswered)
      }
    })
  }
}

const unanswered = Exit.die(new Error("not an answer for each request"))
