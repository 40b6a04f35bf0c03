import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { fillPrompt, parsePrompt } from "../../src/app/skill/prompt.ts"

const filled = (template: string, values: Readonly<Record<string, string>>) =>
  parsePrompt(template).pipe(
    Either.flatMap((prompt) =>
      fillPrompt(prompt, (name) => (Object.hasOwn(values, name) ? values[name] : undefined))
    ),
    Either.merge
  )

describe("a prompt template", () => {
  it("has variables in single braces", () => {
    expect(filled("Hello {name}, {greeting}! {name}?", { name: "Ann", greeting: "hi" })).toBe(
      "Hello Ann, hi! Ann?"
    )
    expect(filled("面试者：{输入}", { 输入: "你好" })).toBe("面试者：你好")
    expect(filled("", {})).toBe("")
    expect(Either.getOrThrow(parsePrompt("{b} {a} {b}")).variables).toEqual(["b", "a"])
  })

  it("has braces in doubled braces", () => {
    expect(filled('{{"key": "{value}"}}', { value: "x" })).toBe('{"key": "x"}')
    expect(filled("{{{a}}}", { a: "1" })).toBe("{1}")
    expect(filled("{{a}}", {})).toBe("{a}")
  })

  it("says what is wrong with it", () => {
    expect(filled("a { b", {})).toContain('has a single "{"')
    expect(filled("a } b", {})).toContain('has a single "}"')
    expect(filled('{"key": 1}', {})).toContain('has "{"key": 1}", which names no variable')
    expect(filled("{}", {})).toContain('has "{}"')
    expect(filled("{a.b}", {})).toContain('has "{a.b}"')
  })

  it("names the first variable without a value, inherited ones included", () => {
    expect(filled("{a} {b}", { a: "1" })).toBe("b")
    expect(filled("{constructor}", {})).toBe("constructor")
    expect(filled("{__proto__}", {})).toBe("__proto__")
  })

  const text = FastCheck.string({ unit: "binary" })
  const name = FastCheck.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/)
  const piece = FastCheck.oneof(
    FastCheck.record({ text }),
    FastCheck.record({
      name,
      value: FastCheck.oneof(text, FastCheck.constantFrom("{x}", "{{", "}}", "$&", "\\"))
    })
  )

  it("comes out as its text with the values in place, whatever characters are in either", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(piece), (pieces) => {
        const values = new Map<string, string>()
        for (const one of pieces) if ("name" in one && !values.has(one.name)) values.set(one.name, one.value)
        const template = pieces
          .map((one) =>
            "name" in one ? `{${one.name}}` : one.text.replaceAll("{", "{{").replaceAll("}", "}}")
          )
          .join("")
        const expected = pieces.map((one) => ("name" in one ? values.get(one.name) : one.text)).join("")
        const prompt = Either.getOrThrowWith(parsePrompt(template), (wrong) => new Error(wrong))
        expect(fillPrompt(prompt, (variable) => values.get(variable))).toEqual(Either.right(expected))
      }),
      { numRuns: 1000 }
    )
  })

  it("never throws, whatever it is", () => {
    const any = FastCheck.oneof(text, FastCheck.string({ unit: FastCheck.constantFrom("{", "}", "a", " ") }))
    FastCheck.assert(
      FastCheck.property(any, (template) => {
        expect(typeof filled(template, {})).toBe("string")
      })
    )
  })
})
