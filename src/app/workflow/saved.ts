/**
 * What a run that waits for a person is kept as: JSON in the run's row, decoded again when it goes on, perhaps
 * days later, on another server and after the workflow was edited.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Json } from "../../protocol/frames.ts"
import type { Usage } from "../../protocol/RunEvent.ts"
import { JsonValue } from "./json.ts"
import type { Progress } from "./progress.ts"
import type { Said, Variables } from "./variables.ts"

/** What a run knows, and where it stands. */
export interface RunState {
  readonly progress: Progress
  readonly variables: Variables
  /** In the course of this run. */
  readonly said: ReadonlyArray<Said>
  /** Of the run so far, its waits included. */
  readonly usage: Usage
}

const maxBytes = 1024 * 1024

const Saved = Schema.Struct({
  version: Schema.Literal(1),
  due: Schema.Array(Schema.String),
  waiting: Schema.Array(Schema.String),
  steps: Schema.Record({ key: Schema.String, value: Schema.NonNegativeInt }),
  variables: Schema.Record({
    key: Schema.String,
    value: Schema.Record({ key: Schema.String, value: JsonValue })
  }),
  said: Schema.Array(Schema.Struct({ by: Schema.Literal("human", "ai"), text: Schema.String })),
  usage: Schema.Struct({ promptTokens: Schema.Number, completionTokens: Schema.Number })
})

const decode = Schema.decodeUnknownEither(Saved)

/** Left: why it cannot be kept, for people. Only a run in which nothing runs can be saved. */
export const save = ({ progress, variables, said, usage }: RunState): Either.Either<Json, string> => {
  const saved = {
    version: 1,
    due: [...progress.due],
    waiting: [...progress.waiting],
    steps: Object.fromEntries(progress.steps),
    variables,
    said: said.map(({ by, text }) => ({ by, text })),
    usage: { ...usage }
  }
  const bytes = Buffer.byteLength(JSON.stringify(saved))
  return bytes <= maxBytes
    ? Either.right(saved)
    : Either.left(
        `what the workflow has to remember while it waits is ${bytes} bytes long (limit ${maxBytes}); ` +
          "let its nodes keep shorter texts"
      )
}

/** Left: why the run cannot go on, for people. */
export const restore = (state: unknown, isNode: (id: string) => boolean): Either.Either<RunState, string> =>
  decode(state).pipe(
    Either.mapLeft(() => "what was kept of this run cannot be read; start the workflow again"),
    Either.filterOrLeft(
      ({ due, waiting }) => [...due, ...waiting].every(isNode),
      () => "the workflow was changed since it began to wait; start it again"
    ),
    Either.map(({ due, waiting, steps, variables, said, usage }) => ({
      progress: {
        due: new Set(due),
        running: new Set<string>(),
        waiting: new Set(waiting),
        steps: new Map(Object.entries(steps))
      },
      variables,
      said,
      usage
    }))
  )

/** Of a long conversation, the end is kept. */
const maxSaid = 200
const maxSaidChars = 200_000

export const heard = (said: ReadonlyArray<Said>, more: ReadonlyArray<Said>): ReadonlyArray<Said> => {
  let room = maxSaidChars
  const kept: Array<Said> = []
  for (const one of [...said, ...more].slice(-maxSaid).reverse()) {
    room -= one.text.length
    if (room < 0) break
    kept.unshift(one)
  }
  return kept
}
