/** What a parser makes of a file. Plain values: they cross from the worker's thread. */
import type { Box } from "../../protocol/RunEvent.ts"
import type { FileType } from "../fileTypes.ts"

/** A page, a section or a few rows. */
export interface Part {
  readonly text: string
  readonly heading: string
  readonly page: number | null
  /** Either none, or one for each line that is not blank, in their order. */
  readonly boxes: ReadonlyArray<Box>
}

export interface Parsed {
  readonly parts: ReadonlyArray<Part>
  /** What was left out, if anything: "has 2,000 pages; at most 500 are read". */
  readonly cut: string | null
}

export interface ParseLimits {
  readonly maxPages: number
  readonly maxChars: number
}

export interface ParseJob extends ParseLimits {
  readonly path: string
  readonly kind: FileType["kind"]
}

/** Why a file cannot be read: the words after its name, and what to do. */
export class Unreadable extends Error {}

export const damaged = "is damaged or not what its name says. Open it, save it anew and upload it again."
export const locked = "is protected by a password. Remove the password and upload the file again."

/** Takes parts in as long as there is room. */
export const collector = ({ maxChars }: ParseLimits) => {
  const parts: Array<Part> = []
  let room = maxChars
  let cut: string | null = null
  return {
    /** False when nothing more fits. */
    add: (part: Part): boolean => {
      if (part.text.trim() === "") return true
      if (part.text.length > room) {
        cut ??= `has more than ${maxChars.toLocaleString("en")} characters; the rest is not read`
        const text = part.text.slice(0, room)
        if (text.trim() !== "") parts.push({ ...part, text, boxes: part.boxes.slice(0, linesIn(text)) })
        room = 0
        return false
      }
      room -= part.text.length
      parts.push(part)
      return true
    },
    cut: (why: string): void => {
      cut ??= why
    },
    parsed: (): Parsed => ({ parts, cut })
  }
}

const linesIn = (text: string): number => text.split("\n").filter((line) => line.trim() !== "").length
