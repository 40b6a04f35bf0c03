/** A stop, or a question that takes another one's place, reaches what it is meant for, and somebody is told. */
import { describe, expect, it } from "@effect/vitest"
import { begun, Script } from "./script.ts"

describe("a stop", () => {
  it("that another node does not hear is said again", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "hang on")
    script.until("it streams", () => script.streamed(other, "hang on") !== "")
    script.unheard(1, 0)
    script.stop(other)
    script.until("it is stopped", () => script.isOver(other, "hang on"), 3000)
    expect(script.statusOf("hang on")).toBe("stopped")
    expect(script.violations).toEqual([])
  })

  it("of a question in the queue is told, also where the store could not be reached just then", () => {
    const script = new Script({ nodes: 1 })
    const asker = script.client("asker", 0)
    script.ask(asker, "say hello")
    script.until("the session is known", () => script.isOver(asker, "say hello"))
    const answerAgain = script.every(0, "claim", "lost")
    script.ask(asker, "say more")
    script.until("it is in the queue", () => script.statusOf("say more") === "queued")
    script.stop(asker)
    script.until("it is taken out", () => script.statusOf("say more") === "stopped")
    script.pass(500)
    expect(script.isOver(asker, "say more")).toBe(false)
    answerAgain()
    script.until("its end is told", () => script.isOver(asker, "say more"), 1000)
    expect(script.violations).toEqual([])
  })

  it("of a question in the queue is told, also where the database's answer is lost", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "hang on")
    script.ask(asker, "say more")
    script.until("it waits for its turn", () => script.statusOf("say more") === "queued")
    script.next(0, "cancel", "unanswered")
    script.stop(asker, "say more")
    script.until("it is taken out", () => script.statusOf("say more") === "stopped")
    script.stop(asker)
    script.until("its end is told", () => script.isOver(other, "say more"), 20_000)
    expect(script.violations).toEqual([])
  })

  it("of a question in the queue leaves the run that waits for a person as it is", () => {
    const { script, asker, other } = begun({ nodes: 3 })
    script.ask(asker, "wait for me")
    script.ask(asker, "say more")
    script.until("it waits for its turn", () => script.statusOf("say more") === "queued")
    // The first run asks the person before the stop is answered.
    script.next(0, "cancel", 1000)
    script.stop(asker, "say more")
    script.until("its end is told", () => script.isOver(other, "say more"))
    expect(script.told(other, "wait for me")).not.toContain("close processing")
    const newcomer = script.client("newcomer", 2)
    expect(newcomer.history.entries[0]).toMatchObject({ place: { status: "waiting" } })
    script.stop(newcomer)
    expect(script.violations).toEqual([])
  })

  it("of everything ends a run that begins to wait for a person just then", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "wait for me")
    script.ask(asker, "say more")
    script.until("it waits for its turn", () => script.statusOf("say more") === "queued")
    let parks = false
    script.next(0, "park", () => {
      parks = true
      return 100
    })
    script.until("the first is about to wait", () => parks)
    asker.say({ _tag: "Stop", scope: "all", runId: null })
    const areOver = () => script.isOver(other, "wait for me") && script.isOver(other, "say more")
    script.until("both are over", areOver, 1000)
    expect(script.statusOf("wait for me")).toBe("stopped")
    expect(script.statusOf("say more")).toBe("stopped")
    const closed = other.history.entries.flatMap((entry) =>
      entry._tag === "Frame" && entry.frame.type === "close" ? [entry.frame.run_id] : []
    )
    expect(closed).toEqual([script.run("wait for me")?.id, script.run("say more")?.id])
    expect(script.violations).toEqual([])
  })
})

describe("a question that takes the place of another one", () => {
  it("stops the run of a node of which nothing was heard yet", () => {
    const { script, asker, other } = begun()
    // The store takes what the first node tells only later.
    const hold = script.every(0, "append", "lost")
    script.ask(asker, "hang on")
    script.until("it runs", () => script.statusOf("hang on") === "running")
    script.ask(other, "say more", "interrupt")
    script.until("the question is accepted", () => script.statusOf("say more") !== undefined)
    hold()
    script.until("it is answered", () => script.isOver(other, "say more"), 5000)
    expect(script.statusOf("hang on")).toBe("stopped")
    expect(script.statusOf("say more")).toBe("done")
    expect(script.violations).toEqual([])
  })

  it("does not wait for a node that has died", () => {
    const { script, asker, other } = begun()
    script.after(0, "accept", () => script.crash(0))
    script.ask(asker, "hang on")
    script.until("it runs", () => script.statusOf("hang on") === "running")
    script.ask(other, "say more", "interrupt")
    script.until("it is answered", () => script.isOver(other, "say more"), 5000)
    expect(script.statusOf("hang on")).toBe("lost")
    expect(script.violations).toEqual([])
  })

  it("and rolls it back, closes it first, where it waits for a person by now", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "wait for me")
    script.until("it streams", () => script.streamed(other, "wait for me") !== "")
    script.after(0, "park", () => script.ask(asker, "say more", "rollback"))
    script.until("the question is answered", () => script.isOver(other, "say more"))
    expect(script.statusOf("wait for me")).toBe("stopped")
    expect(script.told(other, "wait for me").at(-1)).toBe("close processing")
    expect(script.violations).toEqual([])
  })
})
