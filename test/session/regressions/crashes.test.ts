/** A node dies between two steps: whoever finds what it has left behind tells what was not told. */
import { describe, expect, it } from "@effect/vitest"
import { ended } from "../../../src/session/caretaker.ts"
import { wholeAnswer } from "./app.ts"
import { begun } from "./script.ts"

describe("when a node dies", () => {
  it("an answer that it had stored and not told is told as an answer", () => {
    const { script, asker, other } = begun()
    script.after(0, "finish", () => script.crash(0))
    script.ask(asker, "say hello")
    script.until("another node tells the end", () => script.isOver(other, "say hello"))
    expect(script.statusOf("say hello")).toBe("done")
    expect(script.told(other, "say hello")).toEqual(wholeAnswer)
    expect(script.violations).toEqual([])
  })

  it("what was not streamed of a stored answer is streamed before its end is told", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("the first piece is streamed", () => script.streamed(other, "say hello") !== "")
    script.every(0, "append", "lost")
    script.after(0, "finish", () => script.crash(0))
    script.until("another node tells the end", () => script.isOver(other, "say hello"))
    expect(script.statusOf("say hello")).toBe("done")
    expect(script.streamed(other, "say hello")).toBe("say hello")
    expect(script.violations).toEqual([])
  })

  it("a run whose end it had stored is closed before the next question begins", () => {
    const { script, asker, other } = begun()
    // Nobody looks for lost runs: whoever is asked finds it.
    const looking = ["owners", "glance"].map((operation) => script.every(1, operation, "lost"))
    const claiming = script.every(1, "claim", "lost")
    script.after(0, "finish", () => script.crash(0))
    script.ask(asker, "say hello")
    script.until("it is stored", () => script.statusOf("say hello") === "done")
    script.pass(3000)
    expect(script.isOver(other, "say hello")).toBe(false)
    claiming()
    script.ask(other, "say more")
    script.until("the next question is answered", () => script.isOver(other, "say more"))
    expect(script.isOver(other, "say hello")).toBe(true)
    for (const stopLooking of looking) stopLooking()
    expect(script.violations).toEqual([])
  })

  it("nothing was stored as ended whose beginning nobody was told of", () => {
    const { script, asker, other } = begun()
    script.every(0, "append", "lost")
    script.ask(asker, "say hello")
    script.pass(2000)
    expect(script.statusOf("say hello")).toBe("running")
    script.crash(0)
    script.until("another node tells its end", () => script.isOver(other, "say hello"))
    expect(script.statusOf("say hello")).toBe("lost")
    expect(script.violations).toEqual([])
  })

  it("after it has stored a reply, the run that goes on from it is not begun a second time", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "wait for me")
    script.until("it waits", () => script.isAsked(other, "wait for me"))
    script.after(0, "resume", () => script.crash(0))
    script.reply(asker, "say more")
    script.until("another node tells its end", () => script.isOver(other, "wait for me"))
    expect(script.statusOf("wait for me")).toBe("lost")
    expect(script.told(other, "wait for me").filter((line) => line.startsWith("begin"))).toHaveLength(1)
    expect(script.violations).toEqual([])
  })

  it("a run that waited and was stopped there is closed, and not told anew", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "wait for me")
    script.until("it waits", () => script.isAsked(other, "wait for me"))
    script.after(0, "finish", () => script.crash(0))
    script.stop(asker)
    script.until("another node tells its end", () => script.isOver(other, "wait for me"))
    expect(script.statusOf("wait for me")).toBe("stopped")
    expect(script.told(other, "wait for me").filter((line) => line.startsWith("begin"))).toHaveLength(1)
    expect(script.violations).toEqual([])
  })

  it("a question that it had taken out of the queue is told as stopped", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "hang on")
    script.ask(asker, "say more")
    script.until("it waits for its turn", () => script.statusOf("say more") === "queued")
    script.after(0, "cancel", () => script.crash(0))
    script.stop(asker, "say more")
    script.until("another node tells its end", () => script.isOver(other, "say more"))
    expect(script.statusOf("say more")).toBe("stopped")
    expect(script.violations).toEqual([])
  })
})

describe("where the database's answer to the end of a run is lost", () => {
  it("the answer is told with the number that it was stored under", () => {
    const { script, asker, other } = begun()
    script.next(0, "finish", "unanswered")
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(other, "say hello"))
    expect(script.told(other, "say hello")).toEqual(wholeAnswer)
    expect(script.answerId(other, "say hello")).toBe(script.storedAnswerId("say hello"))
    expect(script.violations).toEqual([])
  })

  it("and what is stored cannot be read at once, it is told as stored nevertheless", () => {
    const { script, asker, other } = begun()
    script.next(0, "finish", "unanswered")
    script.next(0, "ofRun", "lost")
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(other, "say hello"))
    expect(script.told(other, "say hello")).toEqual(wholeAnswer)
    expect(script.violations).toEqual([])
  })

  it("and somebody else has ended the run before, what is told is what is stored", () => {
    const { script, asker, other } = begun()
    script.next(0, "finish", () => {
      script.endInDatabase("say hello", ended)
      return "lost"
    })
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(other, "say hello"))
    expect(script.statusOf("say hello")).toBe("stopped")
    expect(script.told(other, "say hello").at(-2)).toBe("end processing")
    expect(script.violations).toEqual([])
  })
})
