/** A node stands still, or does not reach the store, for longer than its lease, and then goes on. */
import { describe, expect, it } from "@effect/vitest"
import type { Client } from "../sim/Client.ts"
import { begun, type Script } from "./script.ts"

/** The first node stands still in the middle of an answer, and another one ends that. */
const overtaken = (script: Script, asker: Client, other: Client, text: string): void => {
  script.ask(asker, text)
  script.until("it streams", () => script.streamed(other, text).length > 2)
  script.cluster.pause(0)
  script.until("another node ends the run", () => script.isOver(other, text))
  script.pass(100)
}

describe("a node that wakes up after another one has taken its session", () => {
  it("does not number anew what the other one has told", () => {
    const { script, asker, other } = begun()
    overtaken(script, asker, other, "spell hello")
    // It begins the next question before it hears that it had lost the session.
    const tellAgain = script.every(0, "append", "lost")
    script.ask(asker, "say more", "interrupt")
    script.cluster.resume(0)
    script.until("it runs", () => script.statusOf("say more") === "running", 500)
    tellAgain()
    script.until("it is over", () => script.isOver(other, "say more"))
    expect(script.statusOf("spell hello")).toBe("lost")
    expect(script.statusOf("say more")).toBe("done")
    expect(script.places(other)).toHaveLength(2)
    expect(script.violations).toEqual([])
  })

  it("begins nothing on the strength of a lease that it is about to give back", () => {
    const { script, asker, other } = begun()
    overtaken(script, asker, other, "spell hello")
    script.next(0, "release", 1000)
    script.after(0, "release", () => script.ask(asker, "say more"))
    script.cluster.resume(0)
    script.until("the next question is answered", () => script.isOver(other, "say more"), 3000)
    expect(script.statusOf("spell hello")).toBe("lost")
    expect(script.statusOf("say more")).toBe("done")
    expect(script.violations).toEqual([])
  })

  it("and ends a run that waits for a person without being heard, tells it later", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "wait for me")
    script.until("it waits", () => script.statusOf("wait for me") === "waiting_input")
    script.pass(100)
    // A question instead of the reply: the run that waits is to be ended first.
    script.after(0, "accept", () => script.cluster.pause(0))
    script.ask(asker, "say more")
    script.until("another node ends what was asked last", () => script.isOver(other, "say more"))
    script.cluster.resume(0)
    script.until("the run that waited is ended", () => script.statusOf("wait for me") === "stopped")
    expect(script.isOver(other, "wait for me")).toBe(false)
    script.until("its end is told", () => script.isOver(other, "wait for me"), 15_000)
    expect(script.violations).toEqual([])
  })

  it("just in time to store its answer, has it told by the one that was about to end the run", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("it streams", () => script.streamed(other, "say hello") !== "")
    script.cluster.pause(0)
    script.next(1, "finish", () => {
      script.cluster.resume(0)
      return "lost"
    })
    script.until("the end is told", () => script.isOver(other, "say hello"))
    expect(script.statusOf("say hello")).toBe("done")
    expect(script.told(other, "say hello").slice(-2)).toEqual(["end_cover answer", "close processing"])
    expect(script.answerId(other, "say hello")).toBe(script.storedAnswerId("say hello"))
    expect(script.violations).toEqual([])
  })
})

describe("a node that reaches the store again after another one has ended its run", () => {
  it("begins nothing under the old numbers, though the store has lost them meanwhile", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "spell hello, and more")
    script.until("it streams", () => script.streamed(other, "spell hello, and more").length > 2)
    script.cluster.reachStore(0, false)
    script.until("another node ends the run", () => script.isOver(other, "spell hello, and more"))
    script.cluster.flush()
    script.cluster.reachStore(0, true)
    script.until("it is known", () => script.isOver(asker, "spell hello, and more"))
    script.ask(asker, "say more")
    script.until("the next question is answered", () => script.isOver(other, "say more"))
    expect(script.statusOf("spell hello, and more")).toBe("lost")
    expect(script.statusOf("say more")).toBe("done")
    expect(script.violations).toEqual([])
  })
})
