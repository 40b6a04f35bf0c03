/** Search of the web by Bing, for agents. Needs a key of one's own; a placeholder in the graph is none. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { bingHosts, makeBingSearch } from "../../tools/bingSearch.ts"
import { asText } from "../asText.ts"
import { LooseNumber, numberOr } from "../fields.ts"
import { fault, type GraphNode, named } from "../Graph.ts"
import { defineNode, fieldValues, needed, Optional } from "../NodeType.ts"

const usualUrl = "https://api.bing.microsoft.com/v7.0/search"

/** Keys are 32 letters and digits; what is shorter, or words, was put there to be replaced. */
const isKey = (key: string): boolean => /^[0-9A-Za-z]{32,128}$/.test(key)

const isBing = (url: string): boolean => {
  const parsed = URL.canParse(url) ? new URL(url) : null
  return parsed?.protocol === "https:" && bingHosts.has(parsed.hostname)
}

const lacks = (node: GraphNode): string | null => {
  const fields = fieldValues(node)
  if (!isKey(asText(fields.bing_subscription_key).trim())) {
    return 'it needs a key for Bing: fill in "bing_subscription_key"'
  }
  const url = asText(fields.bing_search_url).trim() || usualUrl
  return isBing(url) ? null : `its "bing_search_url" is none of Bing's: ${url.slice(0, 100)}`
}

/** Makes the tool; the node that runs it only passes it on. */
export const bingSearchApiWrapper = defineNode({
  types: ["BingSearchAPIWrapper"],
  lacks,
  fields: Schema.Struct({
    bing_subscription_key: Schema.String,
    bing_search_url: Optional(Schema.String),
    k: Optional(LooseNumber)
  }),
  build: (fields, node) => {
    const lack = lacks(node)
    if (lack !== null) return Effect.fail(fault(`node ${named(node)}: ${lack}`, node))
    const tool = makeBingSearch({
      key: fields.bing_subscription_key.trim(),
      url: fields.bing_search_url?.trim() || usualUrl,
      count: Math.min(50, Math.max(1, Math.floor(numberOr(fields.k, 10))))
    })
    return Effect.succeed({ _tag: "Tool", tools: [tool] })
  }
})

export const bingSearchRun = defineNode({
  types: ["BingSearchRun"],
  fields: Schema.Struct({}),
  build: (_fields, node) => needed(node, "api_wrapper", "Tool")
})
