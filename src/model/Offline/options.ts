/** Prompts that want one of a few offered words: who speaks next, right or wrong. Decided by the words alone. */
import { terms } from "../words.ts"
import { cueOf } from "./labels.ts"

const maxRead = 100_000

/** The names in "… with one of these names …: A, B"; null: none are offered. */
const offeredNames = (prompt: string): ReadonlyArray<string> | null => {
  const found = [
    ...prompt
      .slice(-4_000)
      .matchAll(
        /(?:\bone of (?:these|the following|the) (?:names|roles|speakers|options|participants)[^:：\n]{0,60}|(?:从|在)(?:以下|下列|这些)[^:：\n]{0,20}(?:选|挑)[^:：\n]{0,30})[:：]\s*([^\n]+)/gi
      )
  ].at(-1)?.[1]
  if (found === undefined) return null
  const names = found
    .replace(/[.。]\s*$/, "")
    .split(/\s*[,，、|;；]\s*/)
    .map((name) => name.trim())
    .filter((name) => name !== "" && name.length <= 80)
  return names.length >= 2 ? names : null
}

/** Whoever was named last in what was said last; else whoever has spoken least; else whose role fits best. */
export const speakerIn = (prompt: string): string | null => {
  const names = offeredNames(prompt)
  if (names === null) return null
  const lines = prompt.slice(-maxRead).split("\n")
  const isSpeech = (line: string) => names.some((name) => line.startsWith(`${name}: `))
  const end = lines.findLastIndex((line) => /one of|选|挑/.test(line))
  const lastSpeech = lines.slice(0, end).findLast((line) => line.trim() !== "") ?? ""
  const words = new Set(terms(lastSpeech.slice(0, 4_000)))
  const ranked = names.map((name, at) => ({
    name,
    at,
    isCalled:
      new RegExp(`@${escaped(name)}|${escaped(name)}[,，:：]`, "i").test(lastSpeech) && !isSpeech(lastSpeech),
    turns: lines.filter((line) => line.startsWith(`${name}: `)).length,
    fit: terms(lines.find((line) => line.startsWith(`- ${name}:`)) ?? "").filter((word) => words.has(word))
      .length
  }))
  const [first] = ranked.sort(
    (a, b) => Number(b.isCalled) - Number(a.isCalled) || a.turns - b.turns || b.fit - a.fit || a.at - b.at
  )
  return first?.name ?? null
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const onlyThese =
  /(?:(?:只|仅)(?:需|能|要|可|允许)?(?:输出|回答|回复|返回)|\b(?:only|just) (?:output|answer|reply|respond|return|say)(?: with)?|\b(?:output|answer|reply|respond|return)(?: with)? (?:only|just|either|exactly))\s*[:：]?\s*([^\n。；;]{1,120})/i

const verdicts = (prompt: string): ReadonlyArray<string> | null => {
  const said = onlyThese.exec(prompt)?.[1]
  if (said === undefined) return null
  const quoted = [...said.matchAll(/["“'‘「『]([^"“”'‘’「」『』]{1,24})["”'’」』]/g)].map(
    ([, word = ""]) => word
  )
  if (quoted.length >= 2) return quoted
  const bare = /^\s*(\p{L}{1,12}?)\s*(?:或者?|\s+or\s+|\/)\s*(\p{L}{1,12})(?=$|[\s,，.])/u.exec(said)
  return bare?.[1] === undefined || bare[2] === undefined ? null : [bare[1], bare[2]]
}

const isNegative = (word: string): boolean =>
  /^(?:错|错误|不|否|假|无|没有|不[\p{Script=Han}]+|no|false|incorrect|wrong|fail|negative)$/iu.test(word)

const expected = /(?:正确|标准|参考)(?:的)?答案|(?:expected|correct|reference|right)(?: answer)?/
const given =
  /(?:用户|学生|考生|对方)(?:的)?(?:输入|回答|答案|回复)|(?:user|student|given|submitted|actual)(?:'s)?(?: answer| input| reply| response)?/

/** `verdict`: one of the offered words. Two answers that share their words are the same; else the offer that denies. */
export const verdictIn = (instruction: string, message: string): string | null => {
  const offered = verdicts(`${instruction}\n${message}`)
  if (offered === null) return null
  const no = offered.find(isNegative) ?? offered.at(-1) ?? ""
  const yes = offered.find((word) => word !== no) ?? no
  const body = cueOf(message)?.before ?? message
  const right = valueAfter(body, expected, given)
  const answer = valueAfter(body, given, expected)
  if (right !== null && answer !== null) return sameWords(right, answer) ? yes : no
  const text = body.replace(onlyThese, "").replace(new RegExp(expected.source, "gi"), "").toLowerCase()
  return offered.find((word) => text.includes(word.toLowerCase())) ?? no
}

const valueAfter = (message: string, label: RegExp, other: RegExp): string | null => {
  const end = `(?=\\s*(?:${other.source})\\s*[:：]|$)`
  const found = new RegExp(`(?:${label.source})\\s*[:：]\\s*([\\s\\S]{0,4000}?)${end}`, "i").exec(message)
  return found?.[1] === undefined || found[1].trim() === "" ? null : found[1].trim()
}

const sameWords = (one: string, other: string): boolean => {
  const [a, b] = [new Set(terms(one)), new Set(terms(other))]
  if (a.size === 0 || b.size === 0) return one.trim() === other.trim()
  const shared = [...b].filter((word) => a.has(word)).length
  return shared / Math.min(a.size, b.size) >= 0.5 && shared / Math.max(a.size, b.size) >= 0.2
}
