/** What a prompt that carries its own material, or offers its own answers, is answered with. */
import { isChinese } from "../words.ts"
import { checked } from "./completeness.ts"
import { keysIn, keyValues } from "./keyValues.ts"
import { makeQuestion } from "./makeQuestion.ts"
import { speakerIn, verdictIn } from "./options.ts"
import { isAskingForQuestion, type Prompt } from "./prompt.ts"
import { gist, opening, type Quotation, quote } from "./quote.ts"
import type { Reply } from "./wording.ts"

/** A prompt that wants an answer of a fixed form gets just that. null: it wants none. */
export const fixedForm = (prompt: Prompt, message: string): Reply | null => {
  const picked =
    speakerIn(message) ?? verdictIn(prompt.instruction, message) ?? checked(prompt.instruction, message)
  if (picked !== null) return plain(picked, message)
  if (isCondensing(prompt.cue)) return prompt.question === "" ? null : plain(prompt.question, prompt.question)
  const { material, instruction } = prompt
  if (material === "") return null
  const keys = keysIn(instruction)
  if (keys !== null) return plain(keyValues(material, keys), material)
  if (isAskingForQuestion(prompt.cue)) return plain(makeQuestion(material), material)
  return null
}

const isCondensing = (cue: string): boolean =>
  /(?:standalone|rewritten|rephrased|condensed|independent|reworded)\s+(?:question|query)|(?:独立|改写|重写|重新表述|完整)[\p{Script=Han}]{0,4}(?:问题|提问)/iu.test(
    cue
  )

/** The parts of the prompt's material that fit its question. null: it carries none. */
export const fromMaterial = (prompt: Prompt): Reply | null => {
  const { cue, instruction, material, question } = prompt
  if (material === "") return null
  const isSumming =
    wantsSummary(question) || /^(?:.{0,8}(?:摘要|总结|概要)|summary|concise summary)$/iu.test(cue)
  const found = isSumming ? { quotations: [], fit: 0 } : quote(material, question)
  const isFitting = found.quotations.length > 0
  const shown = isFitting ? found.quotations : isSumming ? gist(material) : opening(material)
  const zh = isChinese(question === "" ? material : question)
  const about = isSumming ? "gist" : isFitting ? "fits" : "opening"
  const score = wantsScore(instruction) ? `\nScore: ${isFitting ? Math.round(100 * found.fit) : 0}` : ""
  if (wantsBare(instruction) || score !== "") {
    // Steps whose output the next one reads: what does not fit would only be in its way.
    const text =
      about === "opening" && /\bif there is nothing\b|如果没有|若没有/i.test(instruction)
        ? says(zh, "Nothing in it shares a word with the question.", "其中没有与问题用词相同的内容。")
        : shown.map((one) => one.text).join("\n\n")
    return { reasoning: reasoning[about](zh), text: `${text}${score}` }
  }
  return { reasoning: reasoning[about](zh), text: [heads[about](zh), ...listed(shown, zh)].join("\n\n") }
}

const wantsSummary = (question: string): boolean =>
  question.length <= 200 &&
  /摘要|总结|概括|概述|主要内容|讲了什么|summar|main (?:points?|idea|content)|what is (?:this|the) (?:document|text|article|file) about/i.test(
    question
  )

const wantsScore = (instruction: string): boolean =>
  /^\s*\**(?:score|分数|得分|评分)\**\s*[:：]\s*(?:[<[({]|n\b|\d)/im.test(instruction)

const wantsBare = (instruction: string): boolean =>
  /\bword for word\b|\bverbatim\b|\b(?:answer|summary|question|text) alone\b|\bnothing else\b|without loss of facts/i.test(
    instruction
  )

const says = (zh: boolean, english: string, chinese: string): string => (zh ? chinese : english)

type Found = "fits" | "gist" | "opening"

const heads: Readonly<Record<Found, (zh: boolean) => string>> = {
  fits: (zh) =>
    says(
      zh,
      "I am the built-in offline model and can only quote. This is what the text given to me says:",
      "我是内置的离线模型，只能引用。给我的文本中是这样写的："
    ),
  gist: (zh) =>
    says(
      zh,
      "I am the built-in offline model and can only quote. These sentences carry most of the text:",
      "我是内置的离线模型，只能引用。以下是文本中最有代表性的句子："
    ),
  opening: (zh) =>
    says(
      zh,
      "I am the built-in offline model and can only quote. Nothing in the text given to me shares a word with the question. It begins:",
      "我是内置的离线模型，只能引用。给我的文本中没有与问题用词相同的内容，其开头是："
    )
}

const reasoning: Readonly<Record<Found, (zh: boolean) => string>> = {
  fits: (zh) =>
    says(zh, "Quoting the sentences that share words with the question.", "引用与问题用词相同的句子。"),
  gist: (zh) =>
    says(zh, "Quoting the sentences with the text's commonest words.", "引用文本中常用词最多的句子。"),
  opening: (zh) => says(zh, "Quoting how the text begins.", "引用文本的开头。")
}

const listed = (quotations: ReadonlyArray<Quotation>, zh: boolean): ReadonlyArray<string> => {
  const sources = [...new Set(quotations.map(({ source }) => source).filter((source) => source !== ""))]
  const quotes = quotations.map(({ source, text }) => {
    const mark = source === "" ? "" : ` [${sources.indexOf(source) + 1}]`
    return `> ${text}${mark}`
  })
  if (sources.length === 0) return quotes
  const list = sources.map((source, at) => `- [${at + 1}] ${source}`).join("\n")
  return [...quotes, `${says(zh, "Sources:", "来源：")}\n${list}`]
}

/** A text that the next step takes as it is: nothing may stand around it. */
const plain = (text: string, told: string): Reply => ({
  reasoning: says(
    isChinese(told),
    "The prompt wants an answer of a fixed form; it is made by comparing and copying words.",
    "提示词要求固定形式的回答，由比较和摘录词语得出。"
  ),
  text
})
