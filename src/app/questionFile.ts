/** The questions of an uploaded file, one a line; of a table, the first column of each row. */
import * as Effect from "effect/Effect"
import type { Doc, DocumentsService } from "../knowledge/Documents.ts"
import { RunFailed } from "../protocol/errors.ts"

export type QuestionFile = (fileId: string) => Effect.Effect<ReadonlyArray<string>, RunFailed>

export const makeQuestionFile =
  (documents: DocumentsService): QuestionFile =>
  (fileId) =>
    documents.load(fileId).pipe(
      Effect.map((docs) => docs.flatMap(questionsOf)),
      Effect.mapError(({ reason }) => new RunFailed({ reason, kind: "skill", about: "document" }))
    )

/** Tables are read as `column: value` lines, with a blank line between rows. */
const questionsOf = ({ text, heading, fileName }: Doc): ReadonlyArray<string> => {
  const isTable = heading !== "" && /\.(csv|xlsx)$/i.test(fileName)
  const parts = isTable
    ? text.split(/\n{2,}/).map((row) => (row.split("\n")[0] ?? "").replace(/^[^:]*: ?/, ""))
    : text.split("\n")
  return parts.map((part) => part.trim()).filter((part) => part !== "")
}
