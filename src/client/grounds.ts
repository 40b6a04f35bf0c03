/** What an answer rests on, and the files that come with it, as frames and stored messages carry them. */
import { type Fields, isFields, numberOrNull, textOf } from "./json.ts"
import type { FileLink, Grounds, Progress, SourceLink } from "./messages.ts"

export const groundsOf = (source: number, extra: Fields): Grounds => ({
  source,
  links: source === 3 ? linksOf(extra) : [],
  pair: source === 4 ? textOf(extra, "qa") : ""
})

const linksOf = (extra: Fields): ReadonlyArray<SourceLink> => {
  const listed = extra["doc"] ?? extra["links"]
  return (Array.isArray(listed) ? listed : []).filter(isFields).flatMap((each) => {
    const url = safeUrl(textOf(each, "url") || textOf(each, "source"))
    return url === "" ? [] : [{ title: textOf(each, "title") || textOf(each, "name") || url, url }]
  })
}

/** Only addresses that a click may follow: a `javascript:` link is none. */
const safeUrl = (url: string): string => (/^(https?:\/\/|\/(?!\/))/i.test(url) ? url : "")

export const fileLinks = (files: ReadonlyArray<Fields>): ReadonlyArray<FileLink> =>
  files.flatMap((each) => {
    const url = safeUrl(textOf(each, "file_url") || textOf(each, "path") || textOf(each, "url"))
    const name = textOf(each, "file_name") || textOf(each, "name") || "file"
    return url === "" ? [] : [{ name, url }]
  })

/** Which of many questions, and how far they are; null: not one of many. */
export const placeOf = (
  extra: Fields
): { readonly row: number; readonly progress: Progress | null } | null => {
  const row = numberOrNull(extra, "row")
  if (row === null) return null
  const progress = isFields(extra["progress"]) ? extra["progress"] : {}
  const done = numberOrNull(progress, "done")
  const total = numberOrNull(progress, "total")
  return { row, progress: done === null || total === null ? null : { done, total } }
}

export const unfilledOf = (extra: Fields): ReadonlyArray<string> => {
  const names = extra["unfilled"]
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : []
}
