/**
 * Lua that Redis runs in one step. Every script begins with a comment that names its keys, its arguments and
 * its result; all its keys belong to one hash slot, so that a Cluster takes it.
 */
import { createHash } from "node:crypto"

export interface Script {
  /** Names the operation in errors. */
  readonly name: string
  readonly lua: string
  readonly hash: string
}

export const script = (name: string, lua: string): Script => ({
  name,
  lua,
  hash: createHash("sha1").update(lua).digest("hex")
})

/** The server was restarted, or is another one than before. */
export const isUnknownScript = (cause: unknown): boolean =>
  cause instanceof Error && cause.message.startsWith("NOSCRIPT")
