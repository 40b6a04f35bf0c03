/** What is filled into a form so far, and what is wrong with it. */
import type { FormField } from "../../src/client/client.ts"
import { arrived, type Uploads } from "./useUploads.ts"

export type Draft = Readonly<Record<string, string | ReadonlyArray<string>>>

export const asList = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  value === undefined || value === "" ? [] : typeof value === "string" ? [value] : value

const isEmpty = (value: string | ReadonlyArray<string> | undefined): boolean =>
  asList(value).every((each) => each.trim() === "")

/** What is wrong with each field, by its key. */
export const problemsOf = (
  fields: ReadonlyArray<FormField>,
  draft: Draft,
  uploads: Readonly<Record<string, Uploads["files"]>>
): Draft => {
  const problems = fields.flatMap((field): ReadonlyArray<readonly [string, string]> => {
    const files = uploads[field.key] ?? []
    if (files.some(({ state }) => state === "going")) return [[field.key, "Wait until the file is there."]]
    const empty = field.type === "file" ? arrived(files).length === 0 : isEmpty(draft[field.key])
    if (!field.required || !empty) return []
    const what =
      field.type === "file" ? "Add a file." : field.type === "select" ? "Choose one." : "Fill this in."
    return [[field.key, what]]
  })
  return Object.fromEntries(problems)
}
