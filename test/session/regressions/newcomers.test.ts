/** A node that comes, or comes back, is asked before the others have heard that it lives. */
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { Script } from "./script.ts"

const text = "say hello"

/** A node says four times in it that it lives: not in step with its looks for lost runs, one a second. */
const settings = { leaseTime: Duration.millis(1300) }

/** Milliseconds: it comes at another moment between the other node's beats and looks each time. */
const moments = Array.from({ length: 20 }, (_, i) => i * 50)

const ended = (script: Script): ReadonlyArray<string | undefined> => {
  const client = script.client("asker", 1)
  script.ask(client, text)
  script.until("it is over", () => script.isOver(client, text))
  return [script.statusOf(text), ...script.violations]
}

/** `before`: what happens to it as it starts. */
const started = (moment: number, before: (script: Script) => void = () => undefined) => {
  const script = new Script({ settings })
  script.crash(1)
  script.pass(3000 + moment)
  before(script)
  script.cluster.start(1)
  script.until("it is up", () => script.cluster.processOf(1)?.hub != null)
  return ended(script)
}

describe("a node keeps what it runs that", () => {
  it("has just been started", () => {
    const all = moments.map((moment) => started(moment))
    expect(all).toEqual(moments.map(() => ["done"]))
  })

  it("has stood still for longer than a lease", () => {
    const all = moments.map((moment) => {
      const script = new Script({ settings })
      script.pass(3000)
      script.cluster.pause(1)
      script.pass(3000 + moment)
      script.cluster.resume(1)
      return ended(script)
    })
    expect(all).toEqual(moments.map(() => ["done"]))
  })

  it("could not say at first that it lives", () => {
    const all = moments.map((moment) => started(moment, (script) => script.next(1, "beat", "lost")))
    expect(all).toEqual(moments.map(() => ["done"]))
  })
})
