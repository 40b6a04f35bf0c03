/**
 * Reads a page of the web for a graph. A graph's author chooses the address, so this is held against
 * server-side request forgery: only configured hosts, only public addresses, checked at every redirect, and the
 * connection goes to the very address that was checked.
 */
import { type LookupAddress, lookup as lookUp } from "node:dns"
import * as Http from "node:http"
import * as Https from "node:https"
import type { LookupFunction } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { DocumentFailed } from "../Documents.ts"
import { entryFor, mayConnect } from "./allowed.ts"

export interface Page {
  /** Where it was found at last, without a fragment. */
  readonly url: URL
  readonly kind: "html" | "text"
  readonly text: string
}

export interface FetchOptions {
  readonly hosts: ReadonlyArray<string>
  /** For all of it, redirects included. */
  readonly timeout: Duration.Duration
}

const maxRedirects = 3
const maxBytes = 5 * 1024 * 1024

export const fetchPage = (address: string, options: FetchOptions): Effect.Effect<Page, DocumentFailed> =>
  follow(address, undefined, options, maxRedirects).pipe(
    Effect.timeoutFail({
      duration: options.timeout,
      onTimeout: () => failed(address, `did not arrive within ${Duration.format(options.timeout)}`)
    })
  )

const follow = (
  address: string,
  base: URL | undefined,
  options: FetchOptions,
  left: number
): Effect.Effect<Page, DocumentFailed> =>
  Effect.gen(function* () {
    const url = yield* checked(address, base, options.hosts)
    const answer = yield* request(url, entryFor(url, options.hosts) ?? "")
    if (answer._tag === "Page") return answer.page
    if (left === 0) return yield* failed(url.href, `redirects more than ${maxRedirects} times`)
    return yield* follow(answer.location, url, options, left - 1)
  })

const checked = (
  address: string,
  base: URL | undefined,
  hosts: ReadonlyArray<string>
): Effect.Effect<URL, DocumentFailed> => {
  const url = URL.canParse(address, base?.href) ? new URL(address, base?.href) : undefined
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return Effect.fail(failed(address, "is no http(s) address"))
  }
  // What is stored and shown has no password in it, and none is sent.
  url.username = ""
  url.password = ""
  url.hash = ""
  return entryFor(url, hosts) === undefined
    ? Effect.fail(failed(url.href, `is not read: its host "${url.host}" is not among WEB_HOSTS`))
    : Effect.succeed(url)
}

type Answer =
  | { readonly _tag: "Page"; readonly page: Page }
  | { readonly _tag: "Redirect"; readonly location: string }

const request = (url: URL, entry: string): Effect.Effect<Answer, DocumentFailed> =>
  Effect.async((resume) => {
    const fail = (what: string): void => {
      resume(Effect.fail(failed(url.href, what)))
      call.destroy()
    }
    const call = (url.protocol === "https:" ? Https : Http).request(url, {
      // A connection of its own: a kept one might have been made for another entry.
      agent: false,
      lookup: publicOnly(entry),
      headers: {
        accept: "text/html, text/plain, application/json",
        "accept-encoding": "identity",
        "user-agent": "colloquy"
      }
    })
    call.on("error", (error) => fail(error instanceof Refused ? error.message : "cannot be reached"))
    call.on("response", (response) => {
      const status = response.statusCode ?? 0
      const { location } = response.headers
      if (status >= 300 && status < 400 && location !== undefined) {
        resume(Effect.succeed({ _tag: "Redirect", location }))
        call.destroy()
        return
      }
      if (status < 200 || status > 299) return fail(`was refused by its server (${status})`)
      const type = response.headers["content-type"] ?? ""
      const kind = kindOf(type)
      if (kind === undefined) return fail(`is no text: its type is "${type.slice(0, 100)}"`)
      if ((response.headers["content-encoding"] ?? "identity") !== "identity") {
        return fail("is sent compressed although that was not asked for")
      }
      const chunks: Array<Uint8Array> = []
      let bytes = 0
      response.on("data", (chunk: Uint8Array) => {
        bytes += chunk.byteLength
        if (bytes > maxBytes) fail("is larger than 5 MiB")
        else chunks.push(chunk)
      })
      response.on("error", () => fail("broke off"))
      response.on("end", () => {
        if (!response.complete) return fail("broke off")
        const text = decoded(Buffer.concat(chunks), type)
        resume(Effect.succeed({ _tag: "Page", page: { url, kind, text } }))
      })
    })
    // An address in place of a name is connected to without a look-up, so it is checked here.
    const host = url.hostname.replace(/^\[|\]$/g, "")
    if (/^[\d.]+$|:/.test(host) && !mayConnect(host, entry)) fail(notPublic)
    else call.end()
    return Effect.sync(() => call.destroy())
  })

const notPublic = "is not read: its host leads into a private network"

class Refused extends Error {}

/** Every address of the name is checked, and no other look-up follows. */
const publicOnly =
  (entry: string): LookupFunction =>
  (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses: ReadonlyArray<LookupAddress>) => {
      if (error !== null) return callback(error, "")
      const [first] = addresses
      if (first === undefined || addresses.some(({ address }) => !mayConnect(address, entry))) {
        return callback(new Refused(notPublic), "")
      }
      if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }

const kindOf = (type: string): Page["kind"] | undefined => {
  const name = type.split(";")[0]?.trim().toLowerCase()
  if (name === "text/html" || name === "application/xhtml+xml") return "html"
  return name === "text/plain" || name === "application/json" ? "text" : undefined
}

/** By the charset that the server names, else the page, else UTF-8. */
const decoded = (bytes: Buffer, type: string): string => {
  const named = /charset\s*=\s*["']?([\w-]+)/i
  const charset = named.exec(type)?.[1] ?? named.exec(bytes.subarray(0, 2_048).toString("latin1"))?.[1]
  try {
    return new TextDecoder(charset ?? "utf-8").decode(bytes)
  } catch {
    return new TextDecoder("utf-8").decode(bytes)
  }
}

const failed = (address: string, what: string) =>
  new DocumentFailed({ reason: `The page ${withoutSecrets(address)} ${what}.` })

const withoutSecrets = (address: string): string => address.slice(0, 200).replace(/\/\/[^/@]*@/, "//")
