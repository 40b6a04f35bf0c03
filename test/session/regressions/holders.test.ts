/** The store says that a living node holds the session, and that node does not know it. */
import { expect, it } from "@effect/vitest"
import { begun, type Script } from "./script.ts"

/** A claim that a node has given up on is carried out: the session is taken from the node that had it. */
const claimedLate = ({ cluster }: Script, by: number, from: number): void => {
  const self = cluster.processOf(by)?.self ?? ""
  const dead = cluster.processOf(from)?.self ?? ""
  const [key = ""] = cluster.store.keys
  cluster.store.claim(key, { self, dead, epoch: "late", seq: 0, known: { epoch: "", seq: 0 } })
}

it("whoever finds a session held asks its holder to look after it", () => {
  const { script, other } = begun({ nodes: 3 })
  const asker = script.client("third", 2)
  script.ask(asker, "hang on")
  script.until("it streams", () => script.streamed(other, "hang on") !== "")
  // The first node does not look for lost runs by itself.
  const lookAgain = script.every(0, "owners", "lost")
  claimedLate(script, 0, 2)
  script.crash(2)
  script.until("the end is told", () => script.isOver(other, "hang on"))
  expect(script.statusOf("hang on")).toBe("lost")
  lookAgain()
  expect(script.violations).toEqual([])
})

it("a holder that believes another node to run the session gives it back", () => {
  const { script, asker, other } = begun()
  script.ask(asker, "spell something that takes a while")
  const text = "spell something that takes a while"
  script.until("it streams", () => script.streamed(other, text).length > 2)
  claimedLate(script, 1, 0)
  script.until("the end is told", () => script.isOver(other, text))
  expect(script.violations).toEqual([])
})
