/** Material that a prompt sets off with rules (`----------------`) or in a fence of backticks. */
import { labelOf } from "./labels.ts"

export interface SetOff {
  readonly material: string
  readonly rest: string
}

const rule = /^-{8,}\s*$/

/** Between the first rule and the last one of its length; a passage may hold rules itself. null: there are none. */
export const fenced = (text: string): SetOff | null => {
  const lines = text.split("\n")
  const from = lines.findIndex((line) => rule.test(line))
  if (from === -1) return null
  const mark = lines[from]?.trim()
  const to = lines.findLastIndex((line) => line.trim() === mark)
  const inside = lines.slice(from + 1, to)
  if (to === from || isInstruction(inside)) return null
  return {
    material: inside.join("\n").trim(),
    rest: [...lines.slice(0, from), ...lines.slice(to + 1)].join("\n")
  }
}

/** After the only rule of an instruction that speaks of what follows. */
export const openRule = (text: string): SetOff | null => {
  const lines = text.split("\n")
  const from = lines.findIndex((line) => rule.test(line))
  if (from === -1) return null
  const before = lines.slice(0, from).join("\n")
  const after = lines.slice(from + 1)
  if (isInstruction(after) || !/context|passage|document|text|上下文|资料|文本|内容/i.test(before))
    return null
  return { material: after.join("\n").trim(), rest: before }
}

const isInstruction = (lines: ReadonlyArray<string>): boolean =>
  labelOf(lines.find((line) => line.trim() !== "") ?? "")?.part === "instruction"

/** A fence with a language after it shows a format, or code: no material. */
export const inBackticks = (text: string): SetOff | null => {
  const lines = text.split("\n")
  let from = -1
  for (const [at, line] of lines.entries()) {
    if (!line.startsWith("```")) continue
    if (from === -1) {
      from = at
      continue
    }
    if (lines[from]?.trim() === "```") {
      return {
        material: lines
          .slice(from + 1, at)
          .join("\n")
          .trim(),
        rest: [...lines.slice(0, from), ...lines.slice(at + 1)].join("\n")
      }
    }
    from = -1
  }
  return null
}
