/** A session is given back with everything told that was written. */
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { begun, Script } from "./script.ts"

describe("a node that gives a session back", () => {
  it("tells what was written while it waited to do so", () => {
    const script = new Script({ nodes: 1 })
    const asker = script.client("asker", 0)
    const second = script.client("second", 0)
    script.ask(asker, "say hello")
    script.ask(asker, "say more")
    script.until("it waits for its turn", () => script.statusOf("say more") === "queued")
    // Somebody else's question keeps everything else waiting until it is refused. Meanwhile the first run ends, the stop
    // is answered, and when all know of the first end the session could be given back.
    script.next(0, "accept", 300)
    script.ask(second, "say it again", "reject")
    script.next(0, "cancel", 150)
    script.after(0, "finish", () => script.next(0, "append", 100))
    script.stop(asker, "say more")
    script.until("the end is told", () => script.isOver(asker, "say more"), 3000)
    expect(script.violations).toEqual([])
  })

  it("as it shuts down tells the end that it has just stored", () => {
    const { script, asker, other } = begun({ settings: { leaseTime: Duration.seconds(8) } })
    const { cluster, world } = script
    script.after(0, "finish", () => {
      world.after(300, script.every(0, "append", "lost"))
      cluster.shutDown(0)
    })
    script.ask(asker, "say hello")
    script.until("the end is told", () => script.isOver(other, "say hello"), 2000)
    expect(script.streamed(other, "say hello")).toBe("say hello")
    expect(cluster.store.robbed).toEqual(new Set())
    expect(script.violations).toEqual([])
  })
})
