/**
 * Arithmetic, so that a model need not guess at numbers. Expressions are parsed, never run as code: only the
 * operators and functions listed here exist, nothing loops, and what overflows is refused in words.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Parser } from "expr-eval-fork"
import { ToolFailed } from "../Tool.ts"
import { defineTool } from "./defineTool.ts"

const maxLength = 500

const Arguments = Schema.Struct({
  expression: Schema.String.pipe(Schema.maxLength(maxLength)).annotations({
    description:
      'An arithmetic expression, for example "(3 + 4) * 2^10 / sqrt(2)". Operators: + - * / % (remainder) ^ ' +
      "(power) ! (factorial) and comparisons. Functions: sqrt cbrt abs round floor ceil trunc sign exp ln log10 " +
      "log2 sin cos tan asin acos atan (radians) min max hypot. Constants: pi e. No variables, no units.",
    message: () => `must be text of at most ${maxLength} characters`
  })
})

/** A table without a prototype: no inherited name ("toString") is ever found in it. */
const table = <A>(entries: Readonly<Record<string, A>>): Record<string, A> =>
  Object.assign(Object.create(null), entries)

const {
  abs,
  acos,
  asin,
  atan,
  cbrt,
  ceil,
  cos,
  exp,
  floor,
  log,
  log10,
  log2,
  round,
  sign,
  sin,
  sqrt,
  tan,
  trunc
} = Math
const named = { abs, acos, asin, atan, cbrt, ceil, cos, exp, floor, ln: log, log10, log2, round, sign }
const more = { sin, sqrt, tan, trunc }

const makeParser = (): Parser => {
  const parser = new Parser({
    allowMemberAccess: false,
    operators: {
      assignment: false,
      concatenate: false,
      conditional: false,
      fndef: false,
      in: false,
      length: false,
      logical: false,
      random: false
    }
  })
  parser.unaryOps = table({
    ...named,
    ...more,
    "-": (value: number) => -value,
    "+": (value: number) => value,
    "!": factorial
  })
  parser.functions = table({ min: Math.min, max: Math.max, hypot: Math.hypot })
  parser.consts = table({ pi: Math.PI, PI: Math.PI, e: Math.E, E: Math.E })
  return parser
}

/** Of whole numbers from 0; beyond 170 a number of this size has no representation. */
const factorial = (n: number): number => {
  if (n > 170) return Number.POSITIVE_INFINITY
  if (!Number.isInteger(n) || n < 0) return Number.NaN
  let product = 1
  for (let factor = 2; factor <= n; factor++) product *= factor
  return product
}

/** What people and models write for the same operators. */
const plain = (expression: string): string =>
  expression
    .replaceAll("**", "^")
    .replaceAll(/[×·]/g, "*")
    .replaceAll("÷", "/")
    .replaceAll(/[−–]/g, "-")
    .replaceAll("（", "(")
    .replaceAll("）", ")")

const evaluate = (expression: string): Effect.Effect<string, ToolFailed> =>
  Effect.suspend(() => {
    let value: unknown
    try {
      value = makeParser().evaluate(plain(expression))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return failed(`"${expression}" is not an expression this calculator knows: ${why}`)
    }
    if (typeof value === "boolean") return Effect.succeed(String(value))
    if (typeof value !== "number") return failed(`"${expression}" does not come to a number`)
    if (Number.isNaN(value)) return failed(`"${expression}" is not defined`)
    if (!Number.isFinite(value)) {
      return failed(`"${expression}" is infinite or too large (the limit is about 1.8e308)`)
    }
    return Effect.succeed(String(Number(value.toPrecision(15))))
  })

const failed = (reason: string) => Effect.fail(new ToolFailed({ reason }))

export const calculator = Effect.succeed(
  defineTool({
    name: "calculator",
    description: "Calculates an arithmetic expression and answers the number, to about 15 digits.",
    category: "tool",
    arguments: Arguments,
    run: ({ expression }) => Effect.map(evaluate(expression), (value) => ({ output: value, passages: [] }))
  })
)
