/** The values of named keys, copied out of a text as JSON; null where the text has none. */
import { sentencesOf } from "./sentences.ts"

const wants =
  /(?:提取|抽取|extract)[\s\S]{0,80}?(?:key|字段|要素|属性|关键信息|信息|fields?|entit(?:y|ies)|values?)/i
const keyList =
  /(?:keys?|fields?|entit(?:y|ies)|字段|要素|属性|关键信息|信息)[^\n:：。]{0,24}[:：]\s*\n*\s*([^\n]+)/i
const maxKeys = 50
const maxKeyChars = 60
const maxValueChars = 300

/** null: no extraction is asked for. */
export const keysIn = (instruction: string): ReadonlyArray<string> | null => {
  if (!wants.test(instruction)) return null
  const keys = (keyList.exec(instruction)?.[1] ?? "")
    .split(/[;；、,，|]/)
    .map((key) => key.trim().replace(/^["“'`]|["”'`。.]+$/g, ""))
    .filter((key) => key !== "" && key.length <= maxKeyChars)
  return keys.length === 0 ? null : [...new Set(keys)].slice(0, maxKeys)
}

export const keyValues = (material: string, keys: ReadonlyArray<string>): string => {
  const sentences = sentencesOf(material).map(({ text }) => text)
  const values = keys.map((key) => [key, foundValue(key, sentences)] as const)
  return `\`\`\`json\n${JSON.stringify(Object.fromEntries(values), null, 2)}\n\`\`\``
}

/** What stands behind "key:", else the sentence that speaks of it. */
const foundValue = (key: string, sentences: ReadonlyArray<string>): string | null => {
  const wanted = key.toLowerCase()
  let speaks: string | null = null
  for (const sentence of sentences) {
    const at = sentence.toLowerCase().indexOf(wanted)
    if (at === -1) continue
    const behind = /^["”』】*\s]*(?:[:：=–]|是(?!否)|为|\bis\b)\s*(.+)$/iu.exec(
      sentence.slice(at + key.length)
    )
    const value = behind?.[1]
      ?.split(/[；;，]|,\s/)[0]
      ?.replace(/[。.]\s*$/, "")
      .trim()
    if (value !== undefined && value !== "") return value.slice(0, maxValueChars)
    speaks ??= sentence.slice(0, maxValueChars)
  }
  return speaks
}
