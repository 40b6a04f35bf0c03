import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { makeTools } from "../../src/app/tools/tools.ts"
import { Library, type LibraryPassage } from "../../src/model/Library.ts"

const passage: LibraryPassage = {
  text: "Ports are 1 to 65535.",
  fileId: "f1",
  fileName: "guide.md",
  page: null,
  score: 2
}

const shelf = Layer.succeed(Library, {
  search: ({ text, flowId, userId, limit }) =>
    Effect.succeed(text === "ports" && flowId === "flow" && userId === 7 ? [passage].slice(0, limit) : [])
})

const call = (name: string, input: unknown) =>
  Effect.gen(function* () {
    const tool = (yield* makeTools).get(name)
    if (tool === undefined) return yield* Effect.dieMessage(`no tool ${name}`)
    return yield* Effect.either(tool.run(input, { flowId: "flow", userId: 7 }))
  }).pipe(Effect.provide(shelf))

const calculate = (expression: unknown) =>
  Effect.map(
    call("calculator", { expression }),
    Either.match({ onLeft: (e) => `refused: ${e.reason}`, onRight: (r) => r.output })
  )

describe("the calculator", () => {
  it.effect("calculates", () =>
    Effect.gen(function* () {
      const sums: ReadonlyArray<readonly [string, string]> = [
        ["2 + 3 * 4", "14"],
        ["(2 + 3) * 4", "20"],
        ["-2 ^ 2", "-4"],
        ["2 ** 10", "1024"],
        ["0.1 + 0.2", "0.3"],
        ["6 × 7 ÷ 2 − 1", "20"],
        ["（1 + 2）* 3", "9"],
        ["17 % 5", "2"],
        ["5!", "120"],
        ["sqrt(2) * sqrt(2)", "2"],
        ["cos(pi)", "-1"],
        ["log10(1000) + ln(e)", "4"],
        ["max(1, 7, 3) - min(4, 2)", "5"],
        ["3.11 > 3.9", "false"],
        ["1e3", "1000"]
      ]
      for (const [expression, result] of sums) expect(yield* calculate(expression), expression).toBe(result)
    })
  )

  it.effect("refuses what would grow without end, at once", () =>
    Effect.gen(function* () {
      const began = performance.now()
      for (const bomb of [
        "9^9^9^9",
        "171!",
        "99999999999!",
        "9!!!!",
        "1/0",
        "2^2000",
        `1${"!".repeat(499)}`
      ]) {
        const answer = yield* calculate(bomb)
        if (!bomb.startsWith("1!")) expect(answer, bomb).toContain("infinite or too large")
      }
      yield* calculate(`${"(".repeat(249)}1${")".repeat(249)}`)
      yield* calculate(`${"sin(".repeat(99)}1${")".repeat(99)}`)
      expect(performance.now() - began).toBeLessThan(2000)
    })
  )

  it.effect("knows numbers only: no variables, assignments, strings, members or inherited names", () =>
    Effect.gen(function* () {
      const strange = [
        "x",
        "x = 5",
        "f(x) = x",
        '"a"',
        "toString",
        "toString()",
        "constructor",
        "__proto__",
        "sqrt",
        "a.b",
        "[1,2]",
        "random()",
        "map(sqrt, 1)",
        "process.exit()",
        "import('fs')",
        "1;x",
        "",
        " ",
        "(1",
        "0/0",
        "(-1)!"
      ]
      for (const expression of strange) expect(yield* calculate(expression), expression).toMatch(/^refused: /)
    })
  )

  it.effect("refuses arguments of the wrong shape", () =>
    Effect.gen(function* () {
      expect(yield* calculate(`${"1+".repeat(250)}1`)).toMatch(/^refused: wrong arguments: expression: .*500/)
      expect(yield* calculate(5)).toMatch(/^refused: wrong arguments: expression/)
      for (const input of [{}, [], null, "1+1", 3]) {
        expect(Either.isLeft(yield* call("calculator", input)), JSON.stringify(input)).toBe(true)
      }
    })
  )
})

describe("the clock", () => {
  const tell = (input: unknown) =>
    Effect.zipRight(TestClock.setTime(Date.UTC(2026, 10, 23, 0, 12, 3)), call("current_time", input))

  it.effect("tells date, time and weekday in a zone", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flatten(tell({ timezone: "Asia/Shanghai" }))).output).toBe(
        "2026-11-23 08:12:03 Monday, Asia/Shanghai (UTC+08:00)"
      )
      expect((yield* Effect.flatten(tell({ timezone: "America/St_Johns" }))).output).toBe(
        "2026-11-22 20:42:03 Sunday, America/St_Johns (UTC-03:30)"
      )
    })
  )

  it.effect("takes the server's zone when none is given", () =>
    Effect.gen(function* () {
      for (const input of [{}, { timezone: null }, { timezone: "" }]) {
        expect((yield* Effect.flatten(tell(input))).output).toMatch(
          /^2026-11-2[234] \d\d:\d\d:03 \w+day, .+ \(UTC[+-]/
        )
      }
    })
  )

  it.effect("refuses a zone that does not exist", () =>
    Effect.gen(function* () {
      const answer = yield* Effect.flip(Effect.flatten(tell({ timezone: "Mars/Olympus" })))
      expect(answer.reason).toBe('unknown time zone "Mars/Olympus"; use an IANA name such as "Asia/Shanghai"')
    })
  )
})

describe("document search", () => {
  it.effect("hands over numbered passages of this app and user", () =>
    Effect.gen(function* () {
      const found = yield* Effect.flatten(call("search_documents", { query: "ports" }))
      expect(JSON.parse(found.output)).toEqual({
        passages: [{ n: 1, file: "guide.md", page: null, text: "Ports are 1 to 65535." }]
      })
      expect(found.passages).toEqual([passage])
    })
  )

  it.effect("says plainly that nothing matches", () =>
    Effect.gen(function* () {
      const found = yield* Effect.flatten(call("search_documents", { query: "whales" }))
      expect(found).toEqual({ output: '{"passages":[]}', passages: [] })
    })
  )

  it.effect("refuses an empty query", () =>
    Effect.gen(function* () {
      expect(Either.isLeft(yield* call("search_documents", { query: "" }))).toBe(true)
    })
  )
})

it.effect("every tool shows the model a JSON Schema of its arguments", () =>
  Effect.gen(function* () {
    const tools = yield* makeTools
    for (const [name, tool] of tools) {
      expect(tool.spec.name).toBe(name)
      expect(tool.spec.parameters).toMatchObject({ type: "object", additionalProperties: false })
      expect(Object.keys(tool.spec.parameters)).not.toContain("$schema")
    }
    expect(tools.get("calculator")?.spec.parameters).toMatchObject({ required: ["expression"] })
    expect(tools.get("current_time")?.spec.parameters).toMatchObject({ required: [] })
  }).pipe(Effect.provide(shelf))
)
