/** The store loses what it kept: everything, or the latest changes of it. */
import { describe, expect, it } from "@effect/vitest"
import type { Client } from "../sim/Client.ts"
import { fair } from "../sim/Wire.ts"
import { wholeAnswer } from "./app.ts"
import { begun, Script } from "./script.ts"

/** From now on a node does not hear what others tell. */
const deafen = ({ cluster }: Script, node: number): void => {
  const life = cluster.processOf(node)
  if (life !== null) life.toStore.weather = { ...fair, unheard: 1 }
}

/** Somebody takes the session, begins an epoch, and gives it back without a word. */
const begunAnew = (script: Script, client: Client): void => {
  const { store } = script.cluster
  const [key = ""] = store.keys
  const known = { epoch: store.rowOf(key)?.epoch ?? "", seq: Number.MAX_SAFE_INTEGER }
  const claimed = store.claim(key, { self: "n9", dead: null, epoch: "anew", seq: 0, known, continues: false })
  if (claimed._tag === "Yours") store.release(key, claimed.fence)
  script.until("it is known", () => script.places(client).at(-1)?.epoch === "anew")
}

describe("a store that is emptied", () => {
  it("just when an answer is stored, is told it by the node that made it", () => {
    const { script, asker, other } = begun()
    script.after(0, "finish", () => script.cluster.flush())
    script.ask(asker, "say hello")
    script.until("the end is told", () => script.isOver(other, "say hello"), 500)
    expect(script.told(other, "say hello")).toEqual(wholeAnswer)
    expect(script.places(other)).toHaveLength(1)
    expect(script.violations).toEqual([])
  })

  it("just when a run begins to wait for a person, is told what it asks by the node that ran it", () => {
    const { script, asker, other } = begun()
    script.after(0, "park", () => script.cluster.flush())
    script.ask(asker, "wait for me")
    script.until("it waits", () => script.statusOf("wait for me") === "waiting_input")
    script.pass(300)
    expect(script.isAsked(other, "wait for me")).toBe(true)
    expect(script.places(other)).toHaveLength(1)
    script.reply(other, "say more")
    script.until("it is over", () => script.isOver(asker, "wait for me"))
    expect(script.statusOf("wait for me")).toBe("done")
    expect(script.violations).toEqual([])
  })

  it("with an end that somebody had not heard, is no reason to wait for it for ever", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("it streams", () => script.streamed(other, "say hello") !== "")
    deafen(script, 1)
    script.after(0, "release", () => script.cluster.flush())
    script.until("it is over", () => script.isOver(asker, "say hello"))
    expect(script.isOver(other, "say hello")).toBe(false)
    script.until("it is told", () => script.isOver(other, "say hello"), 5000)
    expect(script.violations).toEqual([])
  })

  for (const [told, before] of [
    ["nothing yet", []],
    ["other answers", ["say more"]]
  ] as const) {
    it(`and is not told again by a node that dies, says to who was told ${told} that something is missing`, () => {
      const { script, asker, other } = begun()
      for (const text of before) {
        script.ask(asker, text)
        script.until("it is over", () => script.isOver(other, text))
        script.pass(100)
      }
      deafen(script, 1)
      script.after(0, "finish", () => {
        script.cluster.flush()
        script.after(0, "claim", () => script.crash(0))
      })
      script.ask(asker, "say hello")
      script.until("the store has the session again", () => script.cluster.processOf(0) === null)
      expect(script.statusOf("say hello")).toBe("done")
      expect(script.told(other, "say hello")).toEqual([])
      script.until("there is more to know", () => script.isOver(other, "say hello"), 5000)
      expect(script.places(other)).toHaveLength(2)
      expect(script.violations).toEqual([])
    })
  }

  for (const [where, before] of [
    ["in the middle of an epoch", () => undefined],
    ["at the beginning of one", begunAnew]
  ] as const) {
    it(`with a whole run that somebody had not heard of ${where}, makes that one look at what is stored`, () => {
      const { script, asker, other } = begun()
      script.ask(asker, "say hello")
      script.until("it is over", () => script.isOver(other, "say hello"))
      script.pass(100)
      before(script, other)
      const places = script.places(other).length
      deafen(script, 1)
      const lookAgain = script.every(1, "glance", "lost")
      script.after(0, "release", () => script.cluster.flush())
      script.ask(asker, "say more")
      script.until("it is over", () => script.isOver(asker, "say more"))
      script.pass(100)
      lookAgain()
      expect(script.isOver(other, "say more")).toBe(false)
      script.until("it is known", () => script.isOver(other, "say more"), 5000)
      expect(script.places(other)).toHaveLength(places + 1)
      expect(script.violations).toEqual([])
    })
  }
})

describe("a store that is emptied, and used by a node that does not know of the run in progress", () => {
  /** A question is taken back there that waited behind that run, and told as stopped under an epoch of that node's own. */
  const usedMeanwhile = (running: string) => {
    const { script, asker, other } = begun({ nodes: 3 })
    script.ask(asker, running)
    script.until("it streams", () => script.streamed(other, running) !== "")
    const tellAgain = script.every(0, "append", "lost")
    script.cluster.flush()
    const newcomer = script.client("newcomer", 2)
    script.ask(newcomer, "say more")
    script.until("it waits for its turn", () => script.statusOf("say more") === "queued")
    script.stop(newcomer, "say more")
    script.until("it is told as stopped", () => script.isOver(newcomer, "say more"), 500)
    expect(script.statusOf(running)).toBe("running")
    return { script, asker, newcomer, tellAgain }
  }

  it("goes on with that run under an epoch that is new to everybody", () => {
    const { script, asker, newcomer, tellAgain } = usedMeanwhile("spell hello")
    expect(script.isOver(asker, "say more")).toBe(false)
    tellAgain()
    script.until("the run is over", () => script.isOver(newcomer, "spell hello"))
    expect(script.statusOf("spell hello")).toBe("done")
    expect(script.streamed(newcomer, "spell hello")).toBe("spell hello")
    expect(script.isOver(asker, "say more")).toBe(true)
    const [before, after] = script.places(asker).map(({ epoch }) => epoch)
    expect(after).not.toBe(before)
    expect(script.violations).toEqual([])
  })

  it("is no reason to keep the end of that run from anybody", () => {
    const { script, asker, newcomer, tellAgain } = usedMeanwhile("hang on")
    script.stop(asker, "hang on")
    script.until("it is stopped", () => script.statusOf("hang on") === "stopped")
    expect(script.isOver(newcomer, "hang on")).toBe(false)
    tellAgain()
    for (const client of [newcomer, asker]) {
      script.until("its end is known", () => script.isOver(client, "hang on"), 2000)
    }
    expect(script.violations).toEqual([])
  })
})

describe("a store that is emptied, used by another node, and emptied again", () => {
  /** The first node has made an answer, and cannot tell its end before another one is made, and told, on the second. */
  const answeredMeanwhile = () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("it streams", () => script.streamed(other, "say hello") !== "")
    const mayClaim = script.every(0, "claim", "lost")
    script.after(0, "finish", () => script.cluster.flush())
    script.until("it is answered", () => script.statusOf("say hello") === "done")
    script.ask(other, "say more")
    return { script, asker, other, mayClaim }
  }

  const isTold = (script: Script, asker: Client): void => {
    script.until("it is known", () => script.isOver(asker, "say more"), 5000)
    expect(script.places(asker)).toHaveLength(2)
    expect(script.violations).toEqual([])
  }

  it("says that something is missing where the node that had it could not ask for it in between", () => {
    const { script, asker, other, mayClaim } = answeredMeanwhile()
    script.until("the next is told", () => script.isOver(other, "say more"))
    expect(script.isOver(asker, "say more")).toBe(false)
    script.cluster.flush()
    mayClaim()
    isTold(script, asker)
  })

  it("says so where the node that had it was refused in between", () => {
    const { script, asker, other, mayClaim } = answeredMeanwhile()
    script.until("the next is streamed", () => script.streamed(other, "say more") !== "")
    script.next(0, "claim", () => {
      script.after(1, "release", () => script.cluster.flush())
      return null
    })
    mayClaim()
    isTold(script, asker)
  })
})

describe("a store that fails over to a copy that was behind", () => {
  it("and has lost an end, is told again by a node that knows it", () => {
    const { script, asker, other } = begun({ nodes: 3 })
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(other, "say hello"))
    script.pass(100)
    // The release, and the last frames.
    script.cluster.failOver(2)
    const [key = ""] = script.cluster.store.keys
    expect(script.cluster.store.isRunning(key)).toBe(true)
    const newcomer = script.client("newcomer", 2)
    expect(script.places(newcomer).at(-1)?.status).toBe("running")
    script.until("the end is told", () => !script.cluster.store.isRunning(key), 5000)
    expect(script.violations).toEqual([])
  })

  it("and has lost an end that no node with readers knows, is told it when nothing was said for a while", () => {
    const script = new Script()
    const asker = script.client("asker", 0)
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(asker, "say hello"))
    asker.leave()
    script.pass(100)
    script.cluster.failOver(2)
    const newcomer = script.client("newcomer", 1)
    expect(script.places(newcomer).at(-1)?.status).toBe("running")
    script.until("it is told that it has ended", () => script.places(newcomer).length === 2, 20_000)
    expect(script.places(newcomer).at(-1)?.status).toBe("idle")
    expect(script.violations).toEqual([])
  })

  it("and has lost that a session was given back, does not keep the next question waiting", () => {
    const { script, asker, other } = begun()
    script.ask(asker, "say hello")
    script.until("it is over", () => script.isOver(other, "say hello"))
    script.pass(100)
    script.cluster.failOver(1)
    const [key = ""] = script.cluster.store.keys
    expect(script.cluster.store.rowOf(key)?.owner).toBe(script.cluster.processOf(0)?.self)
    script.ask(other, "say more")
    script.until("it is answered", () => script.isOver(other, "say more"), 3000)
    expect(script.statusOf("say more")).toBe("done")
    expect(script.violations).toEqual([])
  })
})
