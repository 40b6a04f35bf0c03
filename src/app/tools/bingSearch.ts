/** Searches the web by Bing's API, with a key that a graph brings. Asks Bing's own hosts and follows nothing. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Passage } from "../../protocol/RunEvent.ts"
import { type Tool, ToolFailed } from "../Tool.ts"
import { defineTool } from "./defineTool.ts"

export const bingHosts: ReadonlySet<string> = new Set([
  "api.bing.microsoft.com",
  "api.cognitive.microsoft.com"
])

const Arguments = Schema.Struct({
  query: Schema.NonEmptyString.pipe(Schema.maxLength(1000)).annotations({
    description: "What to search the web for.",
    message: () => "must be text of 1 to 1000 characters"
  })
})

const Found = Schema.Struct({
  webPages: Schema.optional(
    Schema.Struct({
      value: Schema.Array(
        Schema.Struct({
          name: Schema.String,
          url: Schema.String,
          snippet: Schema.optionalWith(Schema.String, { default: () => "" })
        })
      )
    })
  )
})

export interface BingSearch {
  readonly key: string
  readonly url: string
  /** How many pages, 1 to 50. */
  readonly count: number
}

export const makeBingSearch = ({ count, key, url }: BingSearch): Tool =>
  defineTool({
    name: "bing_search",
    description:
      "Searches the web by Bing, for what is new or stands in no document. Cite the pages by address.",
    category: "tool",
    arguments: Arguments,
    run: ({ query }) =>
      Effect.gen(function* () {
        const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
        const response = yield* client.execute(
          HttpClientRequest.get(url, {
            urlParams: { q: query, count: String(count) },
            headers: { "Ocp-Apim-Subscription-Key": key }
          })
        )
        const { webPages } = yield* HttpClientResponse.schemaBodyJson(Found)(response)
        const pages = webPages?.value ?? []
        return {
          output: JSON.stringify({
            pages: pages.map(({ name, snippet, url: link }) => ({ name, url: link, snippet }))
          }),
          passages: pages.map(
            ({ name, snippet, url: link }): Passage => ({
              text: snippet,
              fileId: "",
              fileName: name,
              page: null,
              score: 0,
              url: link
            })
          )
        }
      }).pipe(
        // Neither the key nor the service's own words belong in an answer.
        Effect.mapError((error) => new ToolFailed({ reason: `Bing could not be asked: ${wordsOf(error)}` })),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "error" })
      )
  })

const wordsOf = (error: {
  readonly _tag: string
  readonly response?: { readonly status: number }
}): string => {
  if (error.response !== undefined) return `it answered ${error.response.status}`
  return error._tag === "RequestError" ? "it cannot be reached" : "its answer makes no sense"
}
