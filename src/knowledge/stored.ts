/** Where the bytes of uploaded files lie: `files/<id>` under the data directory, named by nothing a user chose. */
import * as NodePath from "node:path"
import type { SettingsShape } from "../config.ts"

export const filesDirectory = (settings: SettingsShape): string => NodePath.resolve(settings.dataDir, "files")

/** An id is 32 hex digits; anything else leads to a name that no file has. */
export const storedPath = (settings: SettingsShape, id: string): string =>
  NodePath.join(filesDirectory(settings), /^[0-9a-f]{32}$/.test(id) ? id : "none")
