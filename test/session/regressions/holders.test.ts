/** The store says that a living node holds the session, and that node does not know it. */
import { expect, it } from "@effect/vitest"
import { begun, type Script } from "./script.ts"

const keyOf = ({ cluster }: Script): string => cluster.store.keys[0] ?? ""

/** A claim that a node has given up on is carried out: the session is taken from the node that had it. */
const claimedLate = (script: Script, by: number, from: number): void => {
  const { cluster } = script
  cluster.suspect(from)
  const self = cluster.processOf(by)?.self ?? ""
  const dead = cluster.processOf(from)?.self ?? ""
  cluster.store.claim(keyOf(script), {
    self,
    dead,
    epoch: "late",
    seq: 0,
    known: { epoch: "", seq: 0 },
    continues: false
  })
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
  const text = `spell it${" again and".repeat(5)} again`
  script.ask(asker, text)
  script.until("it streams", () => script.streamed(other, text).length > 2)
  claimedLate(script, 1, 0)
  script.until("it is free", () => script.cluster.store.rowOf(keyOf(script))?.owner === "")
  script.until("the end is told", () => script.isOver(other, text), 1000)
  expect(script.statusOf(text)).toBe("lost")
  expect(script.violations).toEqual([])
})
