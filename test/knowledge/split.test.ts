import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { Doc } from "../../src/knowledge/Documents.ts"
import { splitDocs } from "../../src/knowledge/split.ts"
import type { Box } from "../../src/protocol/RunEvent.ts"

const doc = (text: string, boxes: ReadonlyArray<Box> = []): Doc => ({
  text,
  fileId: "1",
  fileName: "a.pdf",
  page: 3,
  boxes,
  url: null,
  heading: "Above"
})

const texts = (text: string, chunkSize: number, chunkOverlap = 0, separators?: ReadonlyArray<string>) =>
  splitDocs([doc(text)], {
    chunkSize,
    chunkOverlap,
    ...(separators === undefined ? {} : { separators })
  }).map((piece) => piece.text)

it("cuts at paragraphs where they fit, then at lines, then at words, then anywhere", () => {
  expect(texts("one two\n\nthree four\n\nfive", 12)).toEqual(["one two", "three four", "five"])
  expect(texts("one two\n\nthree\n\nfive", 18)).toEqual(["one two\n\nthree", "five"])
  expect(texts("first line\nsecond line\n\nshort", 12)).toEqual(["first line", "second line", "short"])
  expect(texts("alpha beta gamma", 11)).toEqual(["alpha beta", "gamma"])
  expect(texts("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"])
})

it("a sentence keeps its mark", () => {
  expect(texts("今天下雨。明天晴天。后天多云。", 6)).toEqual(["今天下雨。", "明天晴天。", "后天多云。"])
  expect(texts("It rains. It snows. It shines.", 12)).toEqual(["It rains.", "It snows.", "It shines."])
})

it("a piece repeats the end of the one before it, as far as allowed", () => {
  expect(texts("a1 b2 c3 d4 e5", 8, 3)).toEqual(["a1 b2 c3", "c3 d4 e5"])
  expect(texts("abcdefghij", 4, 2)).toEqual(["abcd", "cdef", "efgh", "ghij"])
})

it("separators are a graph's own, where \\n is typed as two characters", () => {
  expect(texts("a b\nc d", 4, 0, ["\\n"])).toEqual(["a b", "c d"])
  expect(texts("one|two|three", 5, 0, ["|"])).toEqual(["one", "|two", "|thre", "e"])
})

it("sizes that make no sense do no harm", () => {
  expect(texts("abcdef", 2, 5)).toEqual(["ab", "bc", "cd", "de", "ef"])
  expect(texts("short", 0)).toEqual(["short"])
  expect(texts("short", Number.NaN, Number.NaN)).toEqual(["short"])
})

it("a piece keeps file, page and heading, and the boxes of its own lines", () => {
  const boxes = [1, 2, 3].map((top): Box => ({ page: 3, box: [0, top, 9, top + 1] }))
  const pieces = splitDocs([doc("line one\nline two\n\nline three", boxes)], {
    chunkSize: 18,
    chunkOverlap: 0
  })
  expect(pieces.map(({ boxes, heading, page, text }) => ({ boxes, heading, page, text }))).toEqual([
    { text: "line one\nline two", page: 3, heading: "Above", boxes: boxes.slice(0, 2) },
    { text: "line three", page: 3, heading: "Above", boxes: boxes.slice(2) }
  ])
})

it("whatever the text, no piece is too long, none is new, and nothing is lost", () => {
  const piece = fc.constantFrom("a", "bc", " ", "\n", "\n\n", "\n \n", "😀", "word")
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 80 }),
      fc.integer({ min: 2, max: 20 }),
      fc.integer({ min: 0, max: 10 }),
      (parts, size, overlap) => {
        // No letter twice, so that there is one place only where a piece can come from.
        const text = [...parts.join("")]
          .map((it, at) => (/\s/.test(it) ? it : String.fromCodePoint((it === "😀" ? 0x1f300 : 0x4e00) + at)))
          .join("")
        const found = texts(text, size, overlap)
        if (text.length <= size) return found.length === 1
        if (text.trim() === "") return found.length === 0
        let from = 0
        let covered = 0
        for (const one of found) {
          expect(one.length).toBeLessThanOrEqual(size)
          expect(one).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/)
          const at = text.indexOf(one, from)
          expect(at).toBeGreaterThanOrEqual(0)
          if (at > covered) expect(text.slice(covered, at).trim()).toBe("")
          covered = Math.max(covered, at + one.length)
          from = at + 1
        }
        expect(text.slice(covered).trim()).toBe("")
        return true
      }
    ),
    { numRuns: 500 }
  )
})
