import { describe, expect, it } from "vitest"
import { compare, isOperator } from "../../../src/app/workflow/compare.ts"

const cases: ReadonlyArray<readonly [operator: string, left: string, right: string, holds: boolean]> = [
  ["equals", "a", "a", true],
  ["equals", "a", "A", false],
  ["not_equals", "a", "b", true],
  ["not_equals", "a", "a", false],
  ["contains", "信息完整", "完整", true],
  ["contains", "abc", "d", false],
  ["not_contains", "abc", "d", true],
  ["not_contains", "abc", "b", false],
  ["is_empty", "", "", true],
  ["is_empty", " ", "", false],
  ["is_not_empty", "x", "", true],
  ["is_not_empty", "", "", false],
  ["starts_with", "abc", "ab", true],
  ["starts_with", "abc", "bc", false],
  ["ends_with", "abc", "bc", true],
  ["ends_with", "abc", "ab", false],
  ["greater_than", "10", "9", true],
  ["greater_than", "9", "9", false],
  ["greater_than_or_equal", "9", "9.0", true],
  ["less_than", "-1", "0", true],
  ["less_than", "0", "0", false],
  ["less_than_or_equal", "0", "0", true],
  ["less_than_or_equals", "1", "0", false],
  ["regex", "order 66", "\\d+$", true],
  ["regex", "order", "^\\d", false]
]

describe("A condition", () => {
  it.each(cases)("%s: %j and %j is %s", (operator, left, right, holds) => {
    expect(isOperator(operator)).toBe(true)
    expect(compare(operator, left, right)).toEqual({ holds })
  })

  it("does not hold where it cannot be compared, and says why", () => {
    expect(compare("greater_than", "many", "1")).toEqual({ holds: false, trouble: '"many" is not a number' })
    expect(compare("less_than", "", "1").trouble).toMatch(/not a number/)
    expect(compare("regex", "a", "(").trouble).toMatch(/not a regular expression/)
    expect(compare("regex", "a", "a".repeat(501)).trouble).toMatch(/longer than 500/)
  })

  it("searches in a time that grows with the text, whatever the pattern", () => {
    const began = performance.now()
    expect(compare("regex", `${"a".repeat(50_000)}b`, "(a+)+$").holds).toBe(false)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
