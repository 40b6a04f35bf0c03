/** What is wrong with a decoded value, in one line: the path and the first complaint. */
import * as ParseResult from "effect/ParseResult"

/** Complaints quote the value; a long one is cut. */
const maxLength = 300

export const firstIssue = (error: ParseResult.ParseError): string => {
  const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
  if (issue === undefined) return cut(error.message)
  const where = issue.path.map(String).join(".")
  return cut(where === "" ? issue.message : `${where}: ${issue.message}`)
}

const cut = (text: string): string => (text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`)
