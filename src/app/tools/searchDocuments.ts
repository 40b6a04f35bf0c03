/**
 * Searches the documents that belong to the app, and hands the model numbered passages to answer from and
 * to cite. The output is JSON: `{"passages":[{"n":1,"file":"guide.md","page":null,"text":"…"}]}`, with an
 * empty list when nothing matches.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Library } from "../../model/Library.ts"
import { defineTool } from "./defineTool.ts"

export const searchDocumentsName = "search_documents"

const passagesPerSearch = 5
const maxQuery = 1000

const Arguments = Schema.Struct({
  query: Schema.NonEmptyString.pipe(Schema.maxLength(maxQuery)).annotations({
    description: "What to look for: the question itself, or its key words, in the user's language.",
    message: () => `must be text of 1 to ${maxQuery} characters`
  })
})

export const searchDocuments = Effect.map(Library, (library) =>
  defineTool({
    name: searchDocumentsName,
    description:
      "Searches the app's documents and answers the best matching passages, numbered. Use it whenever the " +
      "answer may stand in them; cite the passages by file name, and say so when nothing was found.",
    category: "knowledge",
    arguments: Arguments,
    run: ({ query }, scope) =>
      Effect.map(library.search({ text: query, limit: passagesPerSearch, ...scope }), (passages) => ({
        output: JSON.stringify({
          passages: passages.map((passage, index) => ({
            n: index + 1,
            file: passage.fileName,
            page: passage.page,
            text: passage.text
          }))
        }),
        passages
      }))
  })
)
