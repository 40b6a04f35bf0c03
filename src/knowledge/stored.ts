/** Where the bytes of files lie: `files/<id>` under the data directory, named by nothing a user chose. */
import * as NodePath from "node:path"
import type { SettingsShape } from "../config.ts"

export const filesDirectory = (settings: SettingsShape): string => NodePath.resolve(settings.dataDir, "files")

/** Where they gather until they are whole; on the same disk, so that they can be moved at once. */
export const incomingDirectory = (settings: SettingsShape): string =>
  NodePath.resolve(settings.dataDir, "incoming")

/** An id is 32 hex digits; anything else leads to a name that no file has. */
const nameOf = (id: string): string => (isFileId(id) ? id : "none")

export const isFileId = (id: string): boolean => /^[0-9a-f]{32}$/.test(id)

export const storedPath = (settings: SettingsShape, id: string): string =>
  NodePath.join(filesDirectory(settings), nameOf(id))

export const incomingPath = (settings: SettingsShape, id: string): string =>
  NodePath.join(incomingDirectory(settings), nameOf(id))
