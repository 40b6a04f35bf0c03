import { expect, it } from "vitest"
import { keywordsOf, shareOf } from "../../src/knowledge/keywords.ts"

it("keywords are the answer's telling words as they stand in it, what the sources have too before others", () => {
  const keys = keywordsOf("The liquidity ratio of Dameng was 3.74 in 2021. Ratios like this are rare.", {
    question: "What was the liquidity ratio?",
    passages: ["Liquidity ratio, 2021: 3.74"]
  })
  expect(keys.slice(0, 4).toSorted()).toEqual(["2021", "3.74", "liquidity", "ratio"])
  expect(keys).toContain("Dameng")
  expect(keys).not.toContain("the")
  expect(keys.filter((key) => /^ratio/i.test(key))).toEqual(["ratio"])
})

it("keywords of Chinese answers are words, none of a single character", () => {
  const keys = keywordsOf("达梦公司在过去三年中的流动比率如下：2021年：3.74倍。")
  expect(keys).toEqual(expect.arrayContaining(["流动", "2021", "公司"]))
  expect(keys.every((key) => key.length > 1)).toBe(true)
})

it("keywords are at most ten, the same each time, and none where nothing is said", () => {
  const text = Array.from({ length: 500 }, (_, i) => `word${i}`).join(" ")
  expect(keywordsOf(text)).toHaveLength(10)
  expect(keywordsOf(text)).toEqual(keywordsOf(text))
  expect(keywordsOf("")).toEqual([])
  expect(keywordsOf("… !!! 🎉 a b")).toEqual([])
})

it("of a huge answer only the beginning is looked at", () => {
  const beginning = "长文本没有空格".repeat(5_000)
  expect(keywordsOf(`${beginning} ${"unheard ".repeat(1_000_000)}`)).toEqual(keywordsOf(beginning))
})

it.each([
  [["ratio", "2021"], "The ratio in 2021", 1],
  [["ratio", "2020"], "The Ratio in 2021", 0.5],
  [["sessions"], "one session", 1],
  [["流动比率"], "公司的流动比率为", 1],
  [["ratio", "RATIO", " ratio "], "ratio", 1],
  [["", " "], "text", 0],
  [[], "text", 0],
  [["missing"], "", 0]
])("%j are found in %j to a share of %d", (keys, text, share) => {
  expect(shareOf(keys, text)).toBe(share)
})
