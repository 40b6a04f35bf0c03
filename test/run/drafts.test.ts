/** What checkpoints take of a run's text, and what a settled message takes back. Pure logic. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect, test } from "vitest"
import { Drafts } from "../../src/run/drafts.ts"

const node = { nodeId: "n", name: "Model", uniqueId: "n-1" }

/** A checkpoint whose store succeeds at once. */
const checkpoint = (drafts: Drafts) => {
  const part = drafts.take(Effect.void)
  drafts.stored(part)
  return part
}

describe("drafts", () => {
  test("a checkpoint takes what came since the last one, and nothing where nothing came", () => {
    const drafts = new Drafts("assistant")
    expect(checkpoint(drafts)).toBeNull()
    drafts.add("content", "one ")
    drafts.add("content", "two ")
    drafts.add("reasoning_content", "why")
    expect(checkpoint(drafts)).toEqual({ text: "one two ", reasoning: "why", replaces: false })
    expect(checkpoint(drafts)).toBeNull()
    drafts.add("content", "three")
    expect(checkpoint(drafts)).toEqual({ text: "three", reasoning: "", replaces: false })
    expect(drafts.own.text).toBe("one two three")
    expect(drafts.own.reasoning).toBe("why")
  })

  test("text that comes while a checkpoint is stored is for the next one", () => {
    const drafts = new Drafts("assistant")
    drafts.add("content", "one ")
    const first = drafts.take(Effect.void)
    drafts.add("content", "two")
    expect(drafts.take(Effect.void)).toBeNull()
    drafts.stored(first)
    expect(checkpoint(drafts)?.text).toBe("two")
    expect(drafts.own.text).toBe("one two")
  })

  test("what could not be stored is taken again, with what came since", () => {
    const drafts = new Drafts("assistant")
    drafts.add("content", "one ")
    expect(drafts.take(Effect.void)?.text).toBe("one ")
    drafts.add("content", "two")
    drafts.stored(null)
    expect(checkpoint(drafts)?.text).toBe("one two")
    expect(checkpoint(drafts)).toBeNull()
    expect(drafts.own.text).toBe("one two")
  })

  test("beside a node that streams the whole is taken, until the node's text is a message", () => {
    const drafts = new Drafts("workflow")
    drafts.add("content", "own")
    checkpoint(drafts)
    const streaming = drafts.open(node, "out")
    streaming.add("content", "node")
    expect(checkpoint(drafts)).toEqual({ text: "own\n\nnode", reasoning: "", replaces: true })
    Effect.runSync(drafts.settle(node.uniqueId, Effect.void))
    // The message took the place of the whole checkpoint, so that the run's own text is stored anew.
    expect(checkpoint(drafts)).toEqual({ text: "own", reasoning: "", replaces: false })
    expect(drafts.own.text).toBe("own")
  })

  test("a node that begins while a checkpoint is stored loses nothing of it", () => {
    const drafts = new Drafts("workflow")
    drafts.add("content", "own")
    const part = drafts.take(Effect.void)
    drafts.open(node, "out").add("reasoning_content", "node")
    drafts.stored(part)
    expect(checkpoint(drafts)).toEqual({ text: "own", reasoning: "node", replaces: true })
  })

  test("a message waits for the checkpoint that is being stored, and nothing is taken meanwhile", async () => {
    const drafts = new Drafts("assistant")
    drafts.add("content", "text")
    await Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const part = drafts.take(Deferred.await(done))
      let isStored = false
      const message = Effect.sync(() => {
        isStored = true
      })
      const settling = yield* Effect.fork(drafts.settle(null, message))
      yield* Effect.yieldNow()
      expect(isStored).toBe(false)
      drafts.stored(part)
      drafts.add("content", " late")
      expect(drafts.take(Effect.void)).toBeNull()
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(settling)
      expect(isStored).toBe(true)
      expect(drafts.own.text).toBe("")
      expect(drafts.take(Effect.void)).toBeNull()
    }).pipe(Effect.runPromise)
  })

  test("an answer that is too long fails, whatever was stored of it", () => {
    const drafts = new Drafts("assistant")
    const million = "x".repeat(1024 * 1024)
    for (let i = 0; i < 4; i++) {
      drafts.add("content", million)
      checkpoint(drafts)
    }
    expect(() => drafts.add("reasoning_content", "y")).toThrow(/longer/)
  })
})
