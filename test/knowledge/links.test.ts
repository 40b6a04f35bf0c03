import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { linkPrefix, makeFileLinks } from "../../src/knowledge/links.ts"

const id = "0123456789abcdef".repeat(2)
const links = makeFileLinks(Redacted.make("a secret"), "1 hour")

const keyOf = (url: string): string => url.slice(linkPrefix.length)

it.effect("a link opens the file it was made for until it expires", () =>
  Effect.gen(function* () {
    const now = Date.UTC(2026, 0, 1) + 1
    yield* TestClock.setTime(now)
    const { url, expiresAt } = yield* links.sign(id)
    expect(url.startsWith(`${linkPrefix}${id}.`)).toBe(true)
    expect(expiresAt - now).toBe(3_600_999)
    yield* TestClock.setTime(expiresAt - 1)
    expect(yield* links.verify(keyOf(url))).toBe(id)
    yield* TestClock.setTime(expiresAt)
    expect(yield* Effect.flip(links.verify(keyOf(url)))).toMatchObject({ reason: "expired" })
  })
)

it.effect("a link that was altered, made up, or signed by somebody else is not valid", () =>
  Effect.gen(function* () {
    const key = keyOf((yield* links.sign(id)).url)
    const [file = "", end = "", mark = ""] = key.split(".")
    const other = keyOf((yield* makeFileLinks(Redacted.make("another"), "1 hour").sign(id)).url)
    const later = (Number.parseInt(end, 36) + 1).toString(36)
    const twisted = (mark.startsWith("A") ? "B" : "A") + mark.slice(1)
    for (const forged of [
      other,
      `${"f".repeat(32)}.${end}.${mark}`,
      `${file}.${later}.${mark}`,
      `${file}.${end}.${twisted}`,
      `${file}.${end}.`,
      `${file}.${end}`,
      `${file}.${end}.${mark}=`,
      `${key}.`,
      ` ${key}`,
      `${key}\n`,
      `${file.toUpperCase()}.${end}.${mark}`,
      "",
      "..",
      "x".repeat(1_000_000)
    ]) {
      expect(yield* Effect.flip(links.verify(forged)), forged.slice(0, 100)).toMatchObject({
        reason: "invalid"
      })
    }
    expect(yield* links.verify(key)).toBe(id)
  })
)

it.effect("every single character of a link counts", () =>
  Effect.gen(function* () {
    const key = keyOf((yield* links.sign(id)).url)
    for (let at = 0; at < key.length; at++) {
      for (const letter of ["a", "B", "0", "-"]) {
        const changed = key.slice(0, at) + letter + key.slice(at + 1)
        if (changed === key) continue
        expect(yield* Effect.flip(links.verify(changed)), changed).toMatchObject({ reason: "invalid" })
      }
    }
  })
)
