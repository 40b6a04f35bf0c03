/** What a prompt is made of: what is asked, the material to answer it from, and how the answer should look. */
import type { ModelMessage } from "../LanguageModel.ts"
import { fenced, openRule } from "./fences.ts"
import { cueOf, type Label, labelOf } from "./labels.ts"

export interface Prompt {
  readonly question: string
  /** The text to answer from; empty: the prompt carries none. */
  readonly material: string
  /** Everything else that was said to the model. */
  readonly instruction: string
  /** What the prompt ends on: "Answer", "Question", "推荐科室"; empty: nothing. */
  readonly cue: string
  /** The message was a filled template, not a person's bare words. */
  readonly isTemplate: boolean
}

/** More than this at either end of a message is not read. */
const maxEnd = 100_000
/** A shorter "material" is a remark. */
const minMaterial = 12
/** Pasted text without any label is taken for material from this length on. */
const minUnlabelled = 500
const maxQuestion = 2_000

export const readPrompt = (messages: ReadonlyArray<ModelMessage>, systemToo: boolean): Prompt => {
  const system = messages.flatMap((one) => (one.role === "system" ? [clip(one.content)] : [])).join("\n\n")
  const said = clip(messages.findLast((message) => message.role === "user")?.content ?? "")
  const given = systemToo ? systemMaterial(system) : { material: "", rest: system }
  const user = readMessage(ownWords(said, system), given.material === "")
  const material = [given.material, user.material].filter((text) => text !== "").join("\n\n")
  return {
    ...user,
    material: material.trim().length < minMaterial ? "" : material,
    instruction: `${given.rest}\n${user.instruction}`
  }
}

const clip = (text: string): string =>
  text.length <= 2 * maxEnd ? text : `${text.slice(0, maxEnd)}\n\n${text.slice(-maxEnd)}`

/** In a group chat what others said follows the question under their names; they are no material. */
const ownWords = (said: string, system: string): string => {
  const names = [...system.slice(0, 20_000).matchAll(/^- ([^:\n]{1,64})(?::|$)/gm)].map(([, name]) => name)
  const starts = names
    .flatMap((name) => [said.startsWith(`${name}: `) ? 0 : said.indexOf(`\n\n${name}: `)])
    .filter((at) => at > 0)
  return starts.length === 0 ? said : said.slice(0, Math.min(...starts))
}

interface Split {
  readonly material: string
  readonly rest: string
}

/** Of an instruction only what is set off clearly counts: between rules, after one, or under a label. */
const systemMaterial = (system: string): Split => {
  const inRules = fenced(system) ?? openRule(system)
  if (inRules !== null) return inRules
  const lines = system.split("\n")
  const labels = lines.map(labelOf)
  const first = labels.findIndex((label) => label?.part === "material")
  return first === -1 ? { material: "", rest: system } : underLabels(lines, labels)
}

const readMessage = (message: string, alone: boolean): Prompt => {
  const end = cueOf(message)
  const body = end?.before ?? message
  const lines = body.split("\n")
  const labels = lines.map(labelOf)
  const asked = questionIn(lines, labels, end !== null)
  const rest =
    asked === null ? body : [...lines.slice(0, asked.from), ...lines.slice(asked.to)].join("\n").trim()
  const found = materialIn(rest, isAskingForQuestion(end?.cue ?? ""))
  const shared = { cue: end?.cue ?? "", isTemplate: asked !== null || end !== null }
  if (asked !== null) {
    return { ...shared, question: asked.text, material: found.material, instruction: found.rest }
  }
  if (found.material !== "") {
    // What somebody said last in a record of a talk is what is asked.
    const last = [...found.material.matchAll(/^(?:Human|User|用户)\s*[:：]\s*(.+)$/gm)].at(-1)?.[1]
    const question = last ?? found.rest.trim().slice(0, maxQuestion)
    return { ...shared, isTemplate: true, question, material: found.material, instruction: found.rest }
  }
  if (alone && body.length >= minUnlabelled && end === null) return { ...shared, ...pasted(body) }
  return { ...shared, question: body.trim().slice(0, maxQuestion), material: "", instruction: "" }
}

export const isAskingForQuestion = (cue: string): boolean => /^(?:question|问题|提问)$/i.test(cue)

interface Asked {
  readonly text: string
  readonly from: number
  /** The line after it. */
  readonly to: number
}

/** The labelled question: the first one above the material, else the last one. */
const questionIn = (
  lines: ReadonlyArray<string>,
  labels: ReadonlyArray<Label | null>,
  isCued: boolean
): Asked | null => {
  const all = labels.flatMap((label, at) => (label?.part === "question" ? [at] : []))
  const material = labels.findIndex((label) => label?.part === "material")
  const first = all[0]
  const isAbove = first !== undefined && material !== -1 && first < material
  const from = isAbove ? first : (all.at(-1) ?? lastLine(lines, isCued))
  if (from === undefined) return null
  const label = labels[from]
  const after = lines.findIndex((line, at) => at > from && (labels[at] != null || /^-{4,}\s*$/.test(line)))
  const to = after === -1 ? lines.length : after
  const inline = label?.rest ?? (lines[from] ?? "").replace(/^[^:：]{1,20}[:：]/, "")
  const below = inline === "" || !isAbove ? lines.slice(from + 1, to) : paragraph(lines.slice(from + 1, to))
  const text = unquoted([inline, ...below].join("\n")).slice(0, maxQuestion)
  return text === "" ? null : { text, from, to: inline === "" || !isAbove ? to : from + 1 + below.length }
}

const paragraph = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = lines.findIndex((line) => line.trim() === "")
  return end === -1 ? lines : lines.slice(0, end)
}

/** "面试者：…" right before "你的回答：": whoever it is that speaks there, it is what is to be answered. */
const lastLine = (lines: ReadonlyArray<string>, isCued: boolean): number | undefined => {
  if (!isCued) return undefined
  const at = lines.findLastIndex((line) => line.trim() !== "")
  return /^\s*[\p{L} ]{1,16}[:：]\s*\S/u.test(lines[at] ?? "") ? at : undefined
}

const unquoted = (text: string): string =>
  text
    .trim()
    .replace(/^["“”'「]+|["“”'」]+$/g, "")
    .trim()

const materialIn = (text: string, lastOnly: boolean): Split => {
  const lines = text.split("\n")
  const labels = lines.map(labelOf)
  if (lastOnly) {
    // Examples come before the text that is meant.
    const last = labels.findLastIndex((label) => label?.part === "material")
    if (last !== -1) {
      const [head, tail] = [lines.slice(0, last), [labels[last]?.rest ?? "", ...lines.slice(last + 1)]]
      return { material: withoutRules(tail.join("\n")), rest: head.join("\n") }
    }
  }
  const labelled = underLabels(lines, labels)
  const inRules = fenced(text)
  if (inRules !== null && !firstIsLabel(labels, lines)) {
    // An earlier answer may stand above the rules, under its own label.
    const above = inRules.rest.split("\n")
    const more = underLabels(above, above.map(labelOf), true)
    return { material: [more.material, inRules.material].join("\n\n").trim(), rest: more.rest }
  }
  return labelled.material.trim() === "" ? (pointedAt(text) ?? { material: "", rest: text }) : labelled
}

const firstIsLabel = (labels: ReadonlyArray<Label | null>, lines: ReadonlyArray<string>): boolean => {
  const label = labels.findIndex((one) => one?.part === "material")
  const rule = lines.findIndex((line) => /^-{8,}\s*$/.test(line))
  return (
    label !== -1 &&
    label < rule &&
    !/^\s*$/.test(lines.slice(label + 1, rule).join("")) &&
    lines.slice(rule).some((line) => labelOf(line)?.part === "instruction")
  )
}

/** From each label of material to the next label of another kind; `briefly`: to the second empty line at most. */
const underLabels = (
  lines: ReadonlyArray<string>,
  labels: ReadonlyArray<Label | null>,
  briefly = false
): Split => {
  const material: Array<string> = []
  const rest: Array<string> = []
  let inside = false
  for (const [at, line] of lines.entries()) {
    const label = labels[at] ?? null
    if (label !== null) {
      inside = label.part === "material" || (inside && label.part === "question")
      if (label.part === "material") {
        material.push("", label.rest)
        continue
      }
    } else if (briefly && inside && line.trim() === "" && material.at(-1) !== "") inside = false
    ;(inside ? material : rest).push(line)
  }
  return { material: withoutRules(material.join("\n")).trim(), rest: rest.join("\n") }
}

const withoutRules = (text: string): string => text.replace(/^[-=]{4,}\s*$/gm, "").trim()

const thing =
  "(?:内容|文本|文章|资料|材料|文档|段落|片段|信息|上下文|记录|原文|合同|报告|简历)|(?:\\b(?:text|passages?|documents?|context|articles?|parts?|content|materials?|findings|excerpts?|information|report|contract|paragraphs?|resume|conversation)\\b)"
const belowIt = new RegExp(`(?:以下|下面|如下|下列|\\b(?:below|following)\\b).{0,60}?(?:${thing})`, "isu")
const aboveIt = new RegExp(`(?:以上|上述|上面|\\b(?:above|preceding)\\b).{0,60}?(?:${thing})`, "isu")
const context = new RegExp(`(?:根据|基于|阅读|use|from|given|read)\\b?.{0,30}?(?:${thing})`, "isu")

/** "Below is one part of a document. …", and then the part; or the text first, and "the text above" after it. */
const pointedAt = (text: string): Split | null => {
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
    if (isBelow && below.join("").trim().length >= minMaterial) {
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
const talkless = (material: string, rest: string): Split => {
  if (!/^(?:Human|AI)\s*[:：]/m.test(material)) return { material: withoutRules(material), rest }
  const people: Array<string> = []
  let isPerson = false
  for (const line of material.split("\n")) {
    if (/^(?:Human|AI)\s*[:：]/.test(line)) isPerson = line.startsWith("Human")
    if (isPerson) people.push(line)
  }
  return { material: people.join("\n"), rest }
}

/** A long text without labels: its first or last lines ask, where they look like it; the rest is material. */
const pasted = (body: string): Pick<Prompt, "question" | "material" | "instruction" | "isTemplate"> => {
  const paragraphs = body.split(/\n\s*\n|\n/).filter((one) => one.trim() !== "")
  const [first = "", last = ""] = [paragraphs[0], paragraphs.at(-1)]
  const asks = (text: string) =>
    text.length <= 300 &&
    /[?？:：]\s*$|^(?:请|帮|what|how|why|who|when|summari|translate|extract)/i.test(text.trim())
  if (paragraphs.length > 1 && asks(last)) {
    return { question: last, material: paragraphs.slice(0, -1).join("\n"), instruction: "", isTemplate: true }
  }
  if (paragraphs.length > 1 && asks(first)) {
    return { question: first, material: paragraphs.slice(1).join("\n"), instruction: "", isTemplate: true }
  }
  return { question: body.slice(0, maxQuestion), material: "", instruction: "", isTemplate: false }
}
