/**
 * Prompt templates in the notation of Bisheng's editor: `{name}` is a variable, `{{` and `}}` are single
 * braces. Parsed once when a skill is built, filled at every question.
 */
import * as Either from "effect/Either"

type Piece =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Variable"; readonly name: string }

export interface Prompt {
  readonly pieces: ReadonlyArray<Piece>
  /** Each name once, in order of appearance. */
  readonly variables: ReadonlyArray<string>
}

const token = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g
const variableName = /^[\p{L}_][\p{L}\p{N}_-]*$/u

/** Left: what is wrong with the template. */
export const parsePrompt = (template: string): Either.Either<Prompt, string> => {
  const pieces: Array<Piece> = []
  let text = ""
  let from = 0
  for (const match of template.matchAll(token)) {
    text += template.slice(from, match.index)
    from = match.index + match[0].length
    if (match[0] === "{{") text += "{"
    else if (match[0] === "}}") text += "}"
    else if (match[1] === undefined) {
      return Either.left(
        `has a single "${match[0]}"; write "${match[0]}${match[0]}" for the character itself`
      )
    } else if (!variableName.test(match[1])) {
      return Either.left(
        `has "${match[0].slice(0, 60)}", which names no variable; write "{{" and "}}" for braces`
      )
    } else {
      if (text !== "") pieces.push({ _tag: "Text", text })
      text = ""
      pieces.push({ _tag: "Variable", name: match[1] })
    }
  }
  text += template.slice(from)
  if (text !== "") pieces.push({ _tag: "Text", text })
  const names = pieces.flatMap((piece) => (piece._tag === "Variable" ? [piece.name] : []))
  return Either.right({ pieces, variables: [...new Set(names)] })
}

/** Values are put in as they are: braces in them mean nothing. Left: the first variable without a value. */
export const fillPrompt = (
  prompt: Prompt,
  lookUp: (name: string) => string | undefined
): Either.Either<string, string> => {
  let filled = ""
  for (const piece of prompt.pieces) {
    const value = piece._tag === "Text" ? piece.text : lookUp(piece.name)
    if (value === undefined) return Either.left(piece._tag === "Variable" ? piece.name : "")
    filled += value
  }
  return Either.right(filled)
}
