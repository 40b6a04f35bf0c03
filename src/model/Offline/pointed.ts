/** Material that a prompt points at: "the following text: …", "… according to the text above". */
import type { SetOff } from "./fences.ts"

/** A shorter "material" is a remark. */
export const minMaterial = 12

/** So much must follow where the words point only vaguely. */
const minVague = 80

export const withoutRules = (text: string): string => text.replace(/^[-=]{4,}\s*$/gm, "").trim()

const thing =
  "(?:内容|文本|文章|资料|材料|文档|段落|片段|信息|上下文|记录|原文|合同|报告|简历)|(?:\\b(?:text|passages?|documents?|context|articles?|parts?|content|materials?|findings|excerpts?|information|report|contract|paragraphs?|resume|conversation)\\b)"
const belowIt = new RegExp(`(?:以下|下面|如下|下列|\\b(?:below|following)\\b).{0,60}?(?:${thing})`, "isu")
const aboveIt = new RegExp(`(?:以上|上述|上面|\\b(?:above|preceding)\\b).{0,60}?(?:${thing})`, "isu")
const context = new RegExp(`(?:根据|基于|阅读|use|from|given|read).{0,30}?(?:${thing})`, "isu")

/** "Below is one part of a document. …", and then the part; or the text first, and "the text above" after it. */
export const pointedAt = (text: string): SetOff | null => {
  const paragraphs = text.split(/\n\s*\n/)
  for (const [at, one] of paragraphs.entries()) {
    if (one.length > 2_000) continue
    const colon = one.indexOf("\n")
    const head = colon === -1 ? one : one.slice(0, colon)
    const isBelow = belowIt.test(one) || (at === 0 && context.test(head))
    const below = [
      ...(belowIt.test(head) && /[:：]\s*$/.test(head) ? [one.slice(head.length)] : []),
      ...paragraphs.slice(at + 1)
    ]
    const needed = belowIt.test(one) ? minMaterial : minVague
    if (isBelow && below.join("").trim().length >= needed) {
      const rest = [...paragraphs.slice(0, at), below.length > paragraphs.length - at - 1 ? head : one]
      return talkless(below.join("\n\n"), rest.join("\n\n"))
    }
    const above = paragraphs.slice(0, at).join("\n\n")
    if (aboveIt.test(one) && above.trim().length >= minMaterial) {
      return { material: withoutRules(above), rest: paragraphs.slice(at).join("\n\n") }
    }
  }
  return null
}

/** Of a record of a talk only what people said is material: the model's own words are no source. */
export const talkless = (material: string, rest: string): SetOff => {
  if (!/^(?:Human|AI)\s*[:：]/m.test(material)) return { material: withoutRules(material), rest }
  const people: Array<string> = []
  let isPerson = false
  for (const line of material.split("\n")) {
    if (/^(?:Human|AI)\s*[:：]/.test(line)) isPerson = line.startsWith("Human")
    if (isPerson) people.push(line)
  }
  return { material: people.join("\n"), rest }
}
