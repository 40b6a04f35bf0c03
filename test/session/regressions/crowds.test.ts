/** What nodes ask of the database grows with how many they are, and not with the square of that. */
import { expect, it } from "@effect/vitest"
import { Script } from "./script.ts"

/** How often all of them together look for runs of nodes that are gone, in a minute. */
const looksOf = (nodes: number): number => {
  const script = new Script({ nodes })
  script.pass(2000)
  let looks = 0
  const count = (node: number) =>
    script.next(node, "owners", () => {
      looks += 1
      count(node)
      return null
    })
  for (let node = 0; node < nodes; node++) count(node)
  script.pass(60_000)
  return looks
}

it("many nodes look for lost runs no more often than four do", () => {
  expect(looksOf(1)).toBe(60)
  expect(looksOf(4)).toBe(240)
  const many = looksOf(24)
  expect(many).toBeGreaterThan(160)
  expect(many).toBeLessThan(320)
})

it("and one of them finds what a dead one has left", () => {
  const script = new Script({ nodes: 24 })
  const asker = script.client("asker", 0)
  script.pass(2000)
  script.ask(asker, "hang on")
  script.until("it runs", () => script.statusOf("hang on") === "running")
  script.crash(0)
  script.until("it is ended", () => script.statusOf("hang on") === "lost", 15_000)
  expect(script.violations).toEqual([])
})
