/** A store that is away for a moment costs time, and nothing else. */
import { expect, it } from "@effect/vitest"
import { begun } from "./script.ts"

it("a question that has begun is answered although the database does not tell what was said before", () => {
  const { script, asker, other } = begun()
  const answerAgain = script.every(0, "memory", "lost")
  script.ask(asker, "say hello")
  script.until("it runs", () => script.statusOf("say hello") === "running")
  script.pass(8000)
  answerAgain()
  script.until("it is answered", () => script.isOver(other, "say hello"), 15_000)
  expect(script.statusOf("say hello")).toBe("done")
  expect(script.violations).toEqual([])
})
