import { describe, expect, it } from "vitest"
import { heard } from "../../../src/app/workflow/saved.ts"
import { parseReference, Reading, referencesIn, type Said } from "../../../src/app/workflow/variables.ts"

const variables = {
  start_1: { chat_history: 2, preset_question: { a: "first", b: "second" } },
  input_1: { user_input: "hello {{#llm_1.output#}}", list: ["x", { deep: true }], none: null, count: 3 }
}

const history: ReadonlyArray<Said> = [
  { by: "human", text: "one" },
  { by: "ai", text: "two" },
  { by: "human", text: "three" }
]

describe("A text with variables", () => {
  it.each([
    ["{{#input_1.user_input#}}!", "hello {{#llm_1.output#}}!"],
    ["{{#start_1.preset_question#b#}}", "second"],
    ["{{#start_1.preset_question#c#}}", ""],
    ["{{#input_1.list#0#}}{{#input_1.list#7#}}", "x"],
    ["{{#input_1.list#1#}}", '{\n  "deep": true\n}'],
    ["{{#input_1.count#}} {{#input_1.none#}}", "3 "],
    ["{{#start_1.chat_history#}}", "AI: two\nHuman: three"],
    ["{{#nobody.x#}} {{#input_1.constructor#}} {{#__proto__.toString#}}", "  "],
    ["{{name}} {#x.y#} {{##}} {{#x#}}", "{{name}} {#x.y#} {{##}} "]
  ])("%s", (template, filled) => {
    expect(new Reading(variables, history).fill(template)).toBe(filled)
  })

  it("keeps a record of what was read, and of what was not there", () => {
    const reading = new Reading(variables, history)
    reading.fill("{{#input_1.count#}} {{#nobody.x#}} {{#own.y#}}", new Map([["own.y", "mine"]]))
    expect([...reading.inputs]).toEqual([
      ["input_1.count", 3],
      ["nobody.x", null],
      ["own.y", "mine"]
    ])
    expect([...reading.missing]).toEqual(["nobody.x"])
  })

  it("names its references once, and reads only those that are some", () => {
    expect(referencesIn("{{#a.b#}} {{#a.b#}} {{#c.d#e#}}")).toEqual(["a.b", "c.d#e"])
    expect(parseReference("a.b.c#d#e")).toEqual({ node: "a", key: "b.c", item: "d#e" })
    for (const none of ["", "a", ".b", "a."]) expect(parseReference(none)).toBeNull()
  })
})

describe("A long conversation", () => {
  it("keeps its end, in number and in length", () => {
    const many = Array.from({ length: 300 }, (_, index): Said => ({ by: "human", text: String(index) }))
    expect(heard(many, [{ by: "ai", text: "last" }])).toHaveLength(200)
    expect(heard(many, [{ by: "ai", text: "last" }]).at(-1)?.text).toBe("last")
    const long = Array.from({ length: 10 }, (): Said => ({ by: "ai", text: "x".repeat(50_000) }))
    expect(heard(long, [])).toHaveLength(4)
    expect(heard([], [{ by: "ai", text: "x".repeat(300_000) }])).toEqual([])
  })
})
