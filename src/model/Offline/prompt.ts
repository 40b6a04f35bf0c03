/** What a prompt is made of: what is asked, the material to answer it from, and how the answer should look. */
import type { ModelMessage } from "../LanguageModel.ts"
import { fenced, inBackticks, openRule, type SetOff } from "./fences.ts"
import { cueOf, type Label, labelOf } from "./labels.ts"
import { minMaterial, pointedAt, talkless, withoutRules } from "./pointed.ts"

export interface Prompt {
  readonly question: string
  /** The text to answer from; empty: the prompt carries none. */
  readonly material: string
  /** Everything else that was said to the model. */
  readonly instruction: string
  /** What the prompt ends on: "Answer", "Question", "推荐科室"; empty: nothing. */
  readonly cue: string
}

/** More than this at either end of a message is not read. */
const maxEnd = 100_000
/** Pasted text without any label is taken for material from this length on. */
const minUnlabelled = 500
/** Rules have short parts called "content" or "text" too. */
const minInstructed = 80
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

/** Of an instruction only what is set off clearly counts: between rules, after one, or under a label. */
const systemMaterial = (system: string): SetOff => {
  const inRules = fenced(system) ?? openRule(system)
  if (inRules !== null) return inRules
  const lines = system.split("\n")
  const labels = lines.map(labelOf)
  const first = labels.findIndex((label) => label?.part === "material")
  const labelled = first === -1 ? null : underLabels(lines, labels)
  return labelled === null || labelled.material.length < minInstructed
    ? { material: "", rest: system }
    : labelled
}

const readMessage = (message: string, alone: boolean): Prompt => {
  const end = cueOf(message)
  const cue = end?.cue ?? ""
  const whole = end?.before ?? message
  // Labels inside a fence belong to what is fenced in.
  const fence = fenceIn(whole, end !== null)
  const body = fence?.rest ?? whole
  const lines = body.split("\n")
  const labels = lines.map(labelOf)
  const asked = questionIn(lines, labels, end !== null)
  const rest =
    asked === null ? body : [...lines.slice(0, asked.from), ...lines.slice(asked.to)].join("\n").trim()
  const found = fence === null ? materialIn(rest, isAskingForQuestion(cue)) : talkless(fence.material, rest)
  if (asked !== null) {
    return { cue, question: asked.text, material: found.material, instruction: found.rest }
  }
  if (found.material !== "") {
    const question = found.rest.trim().slice(0, maxQuestion)
    return { cue, question, material: found.material, instruction: found.rest }
  }
  if (alone && body.length >= minUnlabelled && end === null) return { cue, ...pasted(body) }
  return { cue, question: body.trim().slice(0, maxQuestion), material: "", instruction: "" }
}

/** Under a label the fence is part of what the label names; in a person's own words a short one is an example. */
const fenceIn = (text: string, isCued: boolean): SetOff | null => {
  const fence = inBackticks(text)
  if (fence === null || (!isCued && fence.material.length < minUnlabelled)) return null
  const before = text.slice(0, text.indexOf("```")).split("\n")
  return before.some((line) => labelOf(line)?.part === "material") ? null : fence
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
  const last = all.at(-1)
  // In the record of a talk the label is only a speaker's.
  const isSpeaker = last === undefined || /^(?:human|user|用户)$/i.test(labels[last]?.name ?? "")
  const closing = isCued && isSpeaker && material === -1 ? lastLine(lines, last ?? 0) : undefined
  const from = isAbove ? first : (closing ?? last)
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
const lastLine = (lines: ReadonlyArray<string>, after: number): number | undefined => {
  const at = lines.findLastIndex((line) => line.trim() !== "")
  const line = lines[at] ?? ""
  const isAnswer = /^\s*(?:AI|assistant|助手)\s*[:：]/i.test(line)
  return at >= after && !isAnswer && /^\s*[\p{L} ]{1,16}[:：]\s*\S/u.test(line) ? at : undefined
}

const unquoted = (text: string): string =>
  text
    .trim()
    .replace(/^["“”'「]+|["“”'」]+$/g, "")
    .trim()

const materialIn = (text: string, lastOnly: boolean): SetOff => {
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
): SetOff => {
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

/** A long text without labels: its first or last lines ask, where they look like it; the rest is material. */
const pasted = (body: string): Pick<Prompt, "question" | "material" | "instruction"> => {
  const paragraphs = body.split(/\n\s*\n|\n/).filter((one) => one.trim() !== "")
  const [first = "", last = ""] = [paragraphs[0], paragraphs.at(-1)]
  const asks = (text: string) =>
    text.length <= 300 &&
    /[?？:：]\s*$|^(?:请|帮|what|how|why|who|when|summari|translate|extract)/i.test(text.trim())
  if (paragraphs.length > 1 && asks(last)) {
    return { question: last, material: paragraphs.slice(0, -1).join("\n"), instruction: "" }
  }
  if (paragraphs.length > 1 && asks(first)) {
    return { question: first, material: paragraphs.slice(1).join("\n"), instruction: "" }
  }
  return { question: body.slice(0, maxQuestion), material: "", instruction: "" }
}
