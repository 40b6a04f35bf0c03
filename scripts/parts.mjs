/** What the build makes, of what, and whether that is up to date: all that `npm start` needs to know of a build. */
import { existsSync, readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = join(dirname(fileURLToPath(import.meta.url)), "..")

/** @typedef {{ name: string, sources: ReadonlyArray<string>, stamp: string }} Part `stamp`: as old as what was built */

/** @type {{ server: Part, sdk: Part, page: Part }} */
export const parts = {
  server: { name: "the server", sources: ["src", "scripts/build.mjs"], stamp: "dist/.server" },
  sdk: { name: "the SDK", sources: ["src/client", "src/protocol"], stamp: "dist/.sdk" },
  page: { name: "the page", sources: ["web", "src/client", "src/protocol"], stamp: "dist/.web" }
}

const shared = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"]

const newest = (path) => {
  if (!existsSync(path)) return 0
  const info = statSync(path)
  if (!info.isDirectory()) return info.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

/** Whether something that a part is made of is newer than its stamp. @param {Part} part */
export const isStale = ({ sources, stamp }) =>
  newest(join(root, stamp)) < Math.max(...[...sources, ...shared].map((path) => newest(join(root, path))))
