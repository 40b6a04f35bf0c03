import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { maxAnswer } from "../../../src/app/workflow/replies.ts"
import {
  asking,
  build,
  choosing,
  dialogue,
  end,
  form,
  graph,
  llm,
  resume,
  run,
  said,
  start
} from "./support.ts"

const items = [
  { key: "name", type: "text", value: "Name", required: true },
  { key: "note", type: "text", value: "Note", required: false },
  {
    key: "size",
    type: "select",
    value: "Size",
    required: true,
    multi: false,
    options: [
      { id: "1", text: "small" },
      { id: "2", text: "large" }
    ]
  },
  {
    key: "tags",
    type: "select",
    value: "Tags",
    required: false,
    multi: true,
    options: [
      { id: "a", text: "red" },
      { id: "b", text: "blue" }
    ]
  },
  { key: "file", type: "file", value: "File", required: false, multi: false }
]

const asksEverything = graph(
  [
    start(),
    form("form_1", items),
    dialogue("input_1"),
    asking("output_1", "?"),
    choosing("output_2", "?", "a", "b"),
    llm("llm_1", "x")
  ],
  [
    ["start_1", "form_1"],
    ["start_1", "input_1"],
    ["start_1", "output_1"],
    ["start_1", "output_2"],
    ["start_1", "llm_1"]
  ]
)

const answered = { name: "Ann", size: "small" }

const bad: ReadonlyArray<readonly [what: string, body: unknown, why: RegExp]> = [
  ["nothing", undefined, /names no node; these wait: .*"form_1"/],
  ["a text", "hello", /names no node/],
  ["no node", {}, /names no node/],
  ["an unknown node", said("nobody", {}), /there is no node "nobody"/],
  ["a node that does not ask", said("llm_1", {}), /"llm_1" does not wait/],
  ["no data", { input_1: { user_input: "x" } }, /must be \{"data"/],
  ["data of another shape", { input_1: { data: ["x"] } }, /must be \{"data"/],
  ["a missing field", said("form_1", { size: "small" }), /"name" is required/],
  ["an empty required field", said("form_1", { ...answered, name: "  " }), /"name" is required/],
  [
    "a number where a list is due",
    said("form_1", { ...answered, file: 7 }),
    /"file" must be a list of short texts/
  ],
  ["a text of another type", said("form_1", { ...answered, name: { a: 1 } }), /"name" must be a text/],
  [
    "a choice that there is not",
    said("form_1", { ...answered, size: "huge" }),
    /"huge" is no choice of "size"; there are "small", "large"/
  ],
  [
    "two choices where one is due",
    said("form_1", { ...answered, size: ["small", "large"] }),
    /"size" takes one choice/
  ],
  [
    "two files where one is due",
    said("form_1", { ...answered, file: ["a", "b"] }),
    /"file" has 2 entries \(limit 1\)/
  ],
  ["an empty answer", said("input_1", { user_input: " " }), /the answer is empty/],
  ["a text that is too long", said("input_1", { user_input: "x".repeat(maxAnswer + 1) }), /limit 100000/],
  ["no answer where one is asked", said("output_1", {}), /the answer is missing: "output_result"/],
  [
    "an option that there is not",
    said("output_2", { output_result: "c" }),
    /"c" is none of its choices: "a" \(A\), "b" \(B\)/
  ],
  [
    "one good and one bad answer",
    { ...said("input_1", { user_input: "x" }), ...said("output_2", { output_result: 9 }) },
    /none of its choices/
  ]
]

describe("An answer to a workflow that waits", () => {
  it.effect.each(bad)("is refused in words: %s", ([, body, why]) =>
    Effect.gen(function* () {
      const app = yield* build(asksEverything)
      const { state } = yield* run(app)
      const refused = app.resume?.accept(state, { action: "input", body })
      expect(refused?._tag === "Left" ? refused.left : refused).toMatch(why)
      const ran = yield* resume(app, state, body)
      expect(ran.lines).toEqual([])
      expect(ran.error?.reason).toMatch(why)
    })
  )

  it.effect("is refused when it goes on with another action, or twice", () =>
    Effect.gen(function* () {
      const app = yield* build(asksEverything)
      const { state } = yield* run(app)
      expect(app.resume?.accept(state, { action: "continue", body: "x" })._tag).toBe("Left")
      const body = said("input_1", { user_input: "x" })
      const again = app.resume?.accept((yield* resume(app, state, body)).state, { action: "input", body })
      expect(again?._tag === "Left" ? again.left : again).toMatch(/"input_1" does not wait/)
    })
  )

  it.effect("may say more than is asked, and answer several nodes at once", () =>
    Effect.gen(function* () {
      const app = yield* build(asksEverything)
      const { state } = yield* run(app)
      const body = {
        ...said("form_1", { ...answered, tags: "red,blue", more: true }),
        ...said("input_1", { user_input: "hello" }, "in my words")
      }
      expect(app.resume?.accept(state, { action: "input", body })).toEqual(
        Either.right({
          text: "Name: Ann\nNote: \nSize: small\nTags: red,blue\nFile: \nin my words",
          byNode: expect.any(Map)
        })
      )
      const ran = yield* resume(app, state, body)
      expect(ran.lines).toEqual(["> form_1", "> input_1", "< form_1", "< input_1", "Waiting"])
    })
  )

  it.effect("is refused when what was kept of the run is not its own", () =>
    Effect.gen(function* () {
      const app = yield* build(asksEverything)
      const other = yield* build(graph([start(), end], [["start_1", "end_1"]]))
      const { state } = yield* run(app)
      const reply = { action: "input", body: said("input_1", { user_input: "x" }) } as const
      expect(other.resume?.accept(state, reply)).toEqual(
        Either.left("the workflow was changed since it began to wait; start it again")
      )
      for (const broken of [null, {}, { version: 2 }, "x"]) {
        expect(app.resume?.accept(broken, reply)).toEqual(
          Either.left("what was kept of this run cannot be read; start the workflow again")
        )
      }
    })
  )
})
