/** Documents out of pages of the web, from the hosts that the configuration allows. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { unreadable } from "../chain.ts"
import { LooseText, textList } from "../fields.ts"
import { fault, named } from "../Graph.ts"
import { keptOnce } from "../keptOnce.ts"
import { defineNode, Optional } from "../NodeType.ts"

/** Of one node; each is fetched and read. */
const maxPages = 20
const concurrentFetches = 2

export const webLoader = defineNode({
  types: ["WebBaseLoader"],
  fields: Schema.Struct({ web_path: Optional(LooseText), web_paths: Optional(LooseText) }),
  build: (fields, node, { documents }) => {
    const urls = [...textList(fields.web_path), ...textList(fields.web_paths)]
    if (urls.length === 0)
      return Effect.fail(fault(`node ${named(node)} names no page: fill in "web_path"`, node))
    if (urls.length > maxPages) {
      return Effect.fail(
        fault(`node ${named(node)} names ${urls.length} pages; ${maxPages} are allowed`, node)
      )
    }
    return keptOnce(
      Effect.forEach(urls, (url) => documents.fetch(url), { concurrency: concurrentFetches }).pipe(
        Effect.mapBoth({ onFailure: ({ reason }) => unreadable(reason), onSuccess: (pages) => pages.flat() })
      )
    ).pipe(Effect.map((load) => ({ _tag: "Documents", load })))
  }
})
