/** What a question needs to know of its stores is asked for early, and nothing is asked for that is known. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { App } from "../../../src/app/App.ts"
import { obedientApp, wholeAnswer } from "./app.ts"
import { begun, Script } from "./script.ts"

/** Milliseconds that each of some calls takes; all others take none. */
const slow = 300

/** Milliseconds until then. */
const taken = (script: Script, what: string, isSo: () => boolean): number => {
  const from = script.world.now
  script.until(what, isSo)
  return script.world.now - from
}

/** A client, and nobody else anywhere. */
const alone = (app: App) => {
  const script = new Script({ app })
  return { script, asker: script.client("asker", 0) }
}

/** An app that says how often it was asked, and how many of its answers have not ended. */
const counting = () => {
  const seen = { asked: 0, atWork: 0 }
  const work = Effect.acquireRelease(
    Effect.sync(() => {
      seen.asked += 1
      seen.atWork += 1
    }),
    () =>
      Effect.sync(() => {
        seen.atWork -= 1
      })
  )
  const answer: App["answer"] = (question) =>
    Stream.unwrapScoped(Effect.as(work, obedientApp.answer(question)))
  return { seen, app: { ...obedientApp, answer } }
}

/** An app that says of what the model was reminded at a question. */
const remembering = () => {
  const all = new Map<string, ReadonlyArray<string>>()
  const answer: App["answer"] = (question) => {
    all.set(
      question.text,
      question.history.map(({ content }) => String(content))
    )
    return obedientApp.answer(question)
  }
  return { reminded: (text: string) => all.get(text), app: { ...obedientApp, answer } }
}

describe("a question on a node that shares its sessions", () => {
  it("asks for the lease while it is looked up", () => {
    const { script, asker } = begun()
    script.next(0, "claim", slow)
    script.next(0, "find", slow)
    script.ask(asker, "say hello")
    expect(taken(script, "it runs", () => script.statusOf("say hello") === "running")).toBeLessThan(2 * slow)
    expect(script.violations).toEqual([])
  })

  it.each([
    ["it asks for the lease", "claim"],
    ["it is accepted", "accept"]
  ])("asks for what the model is reminded of while %s", (_, meanwhile) => {
    const { script, asker } = begun()
    script.ask(asker, "say hello")
    script.until("the first is over", () => script.isOver(asker, "say hello"))
    script.pass(100)
    script.next(0, "memory", slow)
    script.next(0, meanwhile, slow)
    script.ask(asker, "say more")
    const isToldOf = () => script.streamed(asker, "say more") !== ""
    expect(taken(script, "the model answers", isToldOf)).toBeLessThan(2 * slow)
    expect(script.violations).toEqual([])
  })

  it.each([
    ["hears", false],
    ["does not hear", true]
  ])("reminds the model of what another node has answered meanwhile, of which it %s", (_, isDeaf) => {
    const { app, reminded } = remembering()
    const { script, asker, other } = begun({ app })
    script.ask(asker, "say hello")
    script.until("the first is over", () => script.isOver(other, "say hello"))
    script.pass(100)
    script.next(0, "claim", { carriedOutAfter: 2 * slow })
    let isRead = false
    script.after(0, "memory", () => {
      isRead = true
    })
    script.ask(asker, "say more")
    script.until("it is read what the model is reminded of", () => isRead)
    if (isDeaf) script.deaf(0)
    script.ask(other, "say less")
    script.until("both are over", () => script.isOver(asker, "say more") && script.isOver(other, "say less"))
    expect(reminded("say less")).toEqual(["say hello", "say hello"])
    expect(reminded("say more")).toEqual(["say hello", "say hello", "say less", "say less"])
    expect(script.violations).toEqual([])
  })

  it("asks the model while it is accepted, and tells nobody before", () => {
    const { script, asker } = alone(obedientApp)
    script.next(0, "accept", slow)
    script.ask(asker, "say hello")
    // The app says its second piece 100 ms after the first.
    const isWhole = () => script.streamed(asker, "say hello") === "say hello"
    expect(taken(script, "the model has answered", isWhole)).toBeLessThan(slow + 50)
    script.until("it is over", () => script.isOver(asker, "say hello"))
    expect(script.told(asker, "say hello")).toEqual(wholeAnswer)
    expect(script.violations).toEqual([])
  })

  it("lets go of the model where it is not accepted", () => {
    const { app, seen } = counting()
    const { script, asker } = alone(app)
    script.next(0, "accept", "lost")
    script.ask(asker, "hang")
    script.until("the model is asked", () => seen.atWork === 1)
    expect(script.run("hang")).toBeUndefined()
    // The client is told that the database did not answer, and asks again.
    script.until("it runs", () => script.statusOf("hang") === "running")
    script.pass(slow)
    expect(seen).toEqual({ asked: 2, atWork: 1 })
    script.stop(asker)
    script.until("it is over", () => script.isOver(asker, "hang"))
    expect(seen.atWork).toBe(0)
    expect(script.violations).toEqual([])
  })

  it("does not ask the model in vain where another node may be told of the same question", () => {
    const { app, seen } = counting()
    const { script, asker, other } = begun({ app })
    script.next(0, "accept", slow)
    script.ask(asker, "say hello")
    script.ask(other, "say hello")
    script.until("it is over", () => script.isOver(asker, "say hello"))
    expect(script.violations).toEqual([])
    expect(seen).toEqual({ asked: 1, atWork: 0 })
  })

  it.each([
    ["was asked before", "say hello"],
    ["says nothing", ""]
  ])("gives the lease back where it %s", (_, text) => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("the first is over", () => script.isOver(other, "say hello"))
    script.pass(100)
    let claims = 0
    script.next(0, "claim", () => {
      claims += 1
      return null
    })
    script.ask(asker, text)
    script.pass(100)
    expect(claims).toBe(1)
    script.ask(other, "say more")
    script.until("the other node answers", () => script.isOver(asker, "say more"))
    expect(script.run("say more")?.owner).not.toBe(script.run("say hello")?.owner)
    expect(script.violations).toEqual([])
  })
})

describe("a run's end", () => {
  it("does not look for a question where none was asked meanwhile", () => {
    const { script, asker } = begun()
    const looks: Array<string> = []
    for (const look of ["dequeue", "waits"]) {
      script.next(0, look, () => {
        looks.push(look)
        return null
      })
    }
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(asker, "say hello"))
    script.pass(100)
    expect(script.violations).toEqual([])
    expect(looks).toEqual([])
  })

  it("finds what another node has accepted", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("it runs", () => script.statusOf("say hello") === "running")
    script.ask(other, "say more")
    script.until("both are over", () => script.isOver(other, "say hello") && script.isOver(asker, "say more"))
    expect(script.violations).toEqual([])
  })

  // Each node looks for its own questions that lie about, but seldom.
  const atOnce = 2_000

  it("finds it where nobody could say that the lease was given back", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("it runs", () => script.statusOf("say hello") === "running")
    script.next(0, "release", "unanswered")
    script.ask(other, "say more")
    expect(taken(script, "both are over", () => script.isOver(asker, "say more"))).toBeLessThan(atOnce)
    expect(script.violations).toEqual([])
  })

  it.each([
    ["has not heard of the run", false],
    ["follows the run", true]
  ])("finds it where that one %s, and is not heard when it speaks", (_, isKnown) => {
    const { script, asker, other } = begun()
    if (!isKnown) script.next(0, "append", slow)
    script.ask(asker, "say hello")
    script.until("it runs", () => script.statusOf("say hello") === "running")
    if (isKnown) script.until("it is told", () => script.streamed(other, "say hello") !== "")
    script.unheard(1, 0)
    script.ask(other, "say more")
    expect(taken(script, "both are over", () => script.isOver(asker, "say more"))).toBeLessThan(atOnce)
    expect(script.violations).toEqual([])
  })

  /** The other node has found the lease taken, and accepts its question only after the run's end. */
  const acceptedLate = () => {
    const at = begun()
    const { script, asker, other } = at
    script.ask(asker, "say hello")
    script.until("it runs", () => script.statusOf("say hello") === "running")
    script.next(1, "find", slow)
    script.ask(other, "say more")
    script.until("the first is over", () => script.isOver(asker, "say hello"))
    return at
  }

  it("finds it where that one found an earlier run when it asked for the lease", () => {
    const { script, asker } = acceptedLate()
    script.ask(asker, "spell much more")
    script.until("it is in the queue", () => script.statusOf("say more") === "queued")
    script.until("the second is over", () => script.isOver(asker, "spell much more"))
    expect(taken(script, "all are over", () => script.isOver(asker, "say more"))).toBeLessThan(atOnce)
    expect(script.violations).toEqual([])
  })

  it("leaves to that one what it accepts too late to be found", () => {
    const { script, asker } = acceptedLate()
    expect(taken(script, "both are over", () => script.isOver(asker, "say more"))).toBeLessThan(atOnce)
    expect(script.violations).toEqual([])
  })
})
