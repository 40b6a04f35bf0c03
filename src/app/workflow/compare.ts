/** How a condition compares two texts. Never fails: what cannot be compared does not hold, and says why. */
import { RE2JS } from "re2js"

/** `trouble`: why it could not be compared, for the node's log. */
export interface Comparison {
  readonly holds: boolean
  readonly trouble?: string
}

type Compare = (left: string, right: string) => Comparison

const plain =
  (compare: (left: string, right: string) => boolean): Compare =>
  (left, right) => ({ holds: compare(left, right) })

const numeric =
  (compare: (left: number, right: number) => boolean): Compare =>
  (left, right) => {
    for (const text of [left, right]) {
      if (text.trim() === "" || !Number.isFinite(Number(text))) {
        return { holds: false, trouble: `"${text.slice(0, 100)}" is not a number` }
      }
    }
    return { holds: compare(Number(left), Number(right)) }
  }

/** Longer patterns are nobody's; the time that a search takes grows with both lengths, and no faster. */
const maxPattern = 500
const maxSearched = 100_000

const matches: Compare = (left, right) => {
  if (right.length > maxPattern) {
    return { holds: false, trouble: `the pattern is longer than ${maxPattern} characters` }
  }
  try {
    return { holds: RE2JS.compile(right).matcher(left.slice(0, maxSearched)).find() }
  } catch {
    return {
      holds: false,
      trouble: `"${right.slice(0, 100)}" is not a regular expression that can be searched for`
    }
  }
}

const atLeast = numeric((left, right) => left >= right)
const atMost = numeric((left, right) => left <= right)

const operators: Readonly<Record<string, Compare>> = {
  equals: plain((left, right) => left === right),
  not_equals: plain((left, right) => left !== right),
  contains: plain((left, right) => left.includes(right)),
  not_contains: plain((left, right) => !left.includes(right)),
  is_empty: plain((left) => left === ""),
  is_not_empty: plain((left) => left !== ""),
  starts_with: plain((left, right) => left.startsWith(right)),
  ends_with: plain((left, right) => left.endsWith(right)),
  greater_than: numeric((left, right) => left > right),
  greater_than_or_equal: atLeast,
  greater_than_or_equals: atLeast,
  less_than: numeric((left, right) => left < right),
  less_than_or_equal: atMost,
  less_than_or_equals: atMost,
  regex: matches
}

export const isOperator = (name: string): boolean => Object.hasOwn(operators, name)

export const compare = (name: string, left: string, right: string): Comparison =>
  operators[name]?.(left, right) ?? { holds: false, trouble: `there is no comparison "${name}"` }
