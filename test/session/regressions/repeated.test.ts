/** One question, said five times on two nodes, one of which dies at every step that there is. */
import { describe, expect, it } from "@effect/vitest"
import { begun } from "./script.ts"

const text = "say hello"

/** Says the question again and again around a crash of the first node; whether the crash came before it was over. */
const repeated = (calls: number, when: "arrives" | "carriedOut"): boolean => {
  const { script, asker, other } = begun()
  script.atCall(0, calls, when, () => script.crash(0))
  script.ask(asker, text)
  script.ask(other, text)
  script.pass(60)
  script.ask(asker, text)
  script.ask(other, text)
  script.until(
    "everybody knows its end",
    () => script.isOver(asker, text) && script.isOver(other, text),
    30_000
  )
  const hasCrashed = script.callsToCome === 0
  script.ask(other, text)
  expect(script.violations).toEqual([])
  const runs = script.cluster.runsOf("chat")
  expect(runs).toHaveLength(1)
  // Of a run that had begun only its own node knows how it went on.
  expect(["done", "lost"]).toContain(runs[0]?.status)
  return hasCrashed
}

describe.each([
  ["before", "arrives"],
  ["after", "carriedOut"]
] as const)("a question that is said five times on two nodes is one run", (word, when) => {
  it(`wherever its node dies, ${word} any of its calls to the store and the database`, () => {
    let calls = 1
    while (repeated(calls, when)) calls += 1
    // The first node asks, is told of the end, and gives the session back: that takes more than a few calls.
    expect(calls).toBeGreaterThan(10)
  })
})
