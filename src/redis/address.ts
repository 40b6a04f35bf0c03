/**
 * What REDIS_URL may say:
 *
 * - `redis://user:password@host:6379/0`: one server; `rediss:` with TLS
 * - `redis+cluster://user:password@a:6379,b:6379`: a Cluster, by some of its nodes
 * - `redis+sentinel://user:password@a:26379,b:26379/name/0`: the master of that name, found through Sentinels
 *
 * `?prefix=text` stands before every key; `?sentinel_password=text` is for the Sentinels themselves.
 */
import * as Either from "effect/Either"

interface Host {
  readonly host: string
  readonly port: number
}

interface Common {
  readonly tls: boolean
  readonly username: string | null
  readonly password: string | null
  readonly prefix: string
}

export type Address = Common &
  (
    | { readonly kind: "single"; readonly at: Host; readonly db: number }
    | { readonly kind: "cluster"; readonly nodes: ReadonlyArray<Host> }
    | {
        readonly kind: "sentinel"
        readonly sentinels: ReadonlyArray<Host>
        readonly master: string
        readonly db: number
        readonly sentinelPassword: string | null
      }
  )

const form = /^(rediss?)(\+cluster|\+sentinel)?:\/\/(?:([^@/?]*)@)?([^@/?]+)(\/[^?]*)?(?:\?(.*))?$/

const usual =
  "REDIS_URL must be redis://[user:password@]host:6379[/db], redis+cluster://host:6379,host:6379 or " +
  "redis+sentinel://host:26379,host:26379/master (rediss for TLS)"

/** Left: what to write instead. The URL itself is not in it, as it may hold a password. */
export const readAddress = (url: string): Either.Either<Address, string> => {
  const found = form.exec(url.trim())
  if (found === null) return Either.left(usual)
  const [, scheme, way = "", login = "", authority = "", path = "", query = ""] = found
  const hosts = authority.split(",").map((text) => hostOf(text, way === "+sentinel" ? 26379 : 6379))
  const known = hosts.filter((host) => host !== null)
  const [first] = known
  if (first === undefined || known.length !== hosts.length) return Either.left(usual)
  const options = new URLSearchParams(query)
  const parts = path.split("/").filter((part) => part !== "")
  const colon = login.indexOf(":")
  const texts = {
    username: decoded(colon === -1 ? login : login.slice(0, colon)),
    password: decoded(colon === -1 ? "" : login.slice(colon + 1)),
    master: decoded(parts[0] ?? "")
  }
  if (texts.username === null || texts.password === null || texts.master === null) {
    return Either.left("REDIS_URL: write % in names and passwords as %25")
  }
  const common: Common = {
    tls: scheme === "rediss",
    username: texts.username === "" ? null : texts.username,
    password: texts.password === "" ? null : texts.password,
    prefix: options.get("prefix") ?? ""
  }
  if (way === "+cluster") {
    return parts.length === 0
      ? Either.right({ ...common, kind: "cluster", nodes: known })
      : Either.left("REDIS_URL: a Cluster has no databases to choose from; leave the path away")
  }
  if (way === "+sentinel") {
    const db = dbOf(parts[1])
    if (texts.master === "" || db === null || parts.length > 2) return Either.left(usual)
    return Either.right({
      ...common,
      kind: "sentinel",
      sentinels: known,
      master: texts.master,
      db,
      sentinelPassword: options.get("sentinel_password")
    })
  }
  const db = dbOf(parts[0])
  if (db === null || parts.length > 1 || known.length > 1) return Either.left(usual)
  return Either.right({ ...common, kind: "single", at: first, db })
}

const hostOf = (text: string, usualPort: number): Host | null => {
  const found = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(text)
  const host = found?.[1]
  if (host === undefined) return null
  const port = Number(found?.[2] ?? usualPort)
  return port >= 1 && port <= 65_535 ? { host: host.replace(/^\[|\]$/g, ""), port } : null
}

const dbOf = (text: string | undefined): number | null => {
  if (text === undefined) return 0
  return /^\d{1,4}$/.test(text) ? Number(text) : null
}

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
