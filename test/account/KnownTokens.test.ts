import { expect, it } from "vitest"
import { KnownTokens } from "../../src/account/KnownTokens.ts"

/** Reads the words that end with "!", and notes what it was asked. */
const reader = () => {
  const asked: Array<string> = []
  const known = new KnownTokens((token) => {
    asked.push(token)
    return token.endsWith("!") ? { word: token } : null
  })
  return { known, asked }
}

it("a good token is checked once, a bad one every time", () => {
  const { known, asked } = reader()
  for (const token of ["a!", "b", "a!", "b"]) known.read(token)
  expect(asked).toEqual(["a!", "b", "b"])
  expect(known.read("a!")).toEqual({ word: "a!" })
  expect(known.read("b")).toBeNull()
})

it("of too many the one used longest ago is forgotten", () => {
  const { known, asked } = reader()
  for (let i = 0; i < 4_096; i++) known.read(`${i}!`)
  known.read("0!")
  known.read("one more!")
  asked.length = 0
  for (const token of ["0!", "one more!", "2!", "1!"]) known.read(token)
  expect(asked).toEqual(["1!"])
})
