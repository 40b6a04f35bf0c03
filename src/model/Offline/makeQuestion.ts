/** One question that a text answers: about the thing that its fullest sentence begins with. */
import { isChinese, terms } from "../words.ts"
import { sentencesOf } from "./sentences.ts"

const maxSubject = 40

export const makeQuestion = (material: string): string => {
  const sentences = sentencesOf(material).map(({ text }) => text)
  const counts = new Map<string, number>()
  for (const sentence of sentences) {
    for (const word of new Set(terms(sentence))) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  let best = sentences[0] ?? ""
  let mark = -1
  for (const sentence of sentences) {
    const words = [...new Set(terms(sentence))]
    const sum = words.reduce((all, word) => all + (counts.get(word) ?? 0), 0) / Math.max(4, words.length)
    // Figures and names are worth asking about.
    const worth = sum + Math.min(3, words.length / 4) + (/\d/.test(sentence) ? 1 : 0)
    if (worth > mark) [best, mark] = [sentence, worth]
  }
  const subject = subjectOf(best)
  return isChinese(best) ? `关于“${subject}”，有哪些信息？` : `What is known about "${subject}"?`
}

/** Up to the first verb that everybody knows, or the first comma. */
const subjectOf = (sentence: string): string => {
  const head =
    /^(.{2,60}?)(?:\s+(?:is|are|was|were|has|have|had|will|can|must|may|makes?|runs?|uses?)\b|[，,。：:;；]|是|为(?!了)|有(?!关)|将|位于|成立|应当|应|可以)/iu.exec(
      sentence
    )?.[1] ?? sentence
  const short = head
    .replace(/^(?:the|an?)\s+/i, "")
    .replace(/[.。!！?？"“”]+/g, "")
    .trim()
  if (short.length <= maxSubject) return short
  const cut = short.slice(0, maxSubject)
  return isChinese(cut) ? cut : cut.replace(/\s+\S*$/, "")
}
