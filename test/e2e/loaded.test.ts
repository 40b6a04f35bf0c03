/** What the built server loads before it is ready: each library more is time that a start takes, and memory at rest. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"

const dist = join(import.meta.dirname, "..", "..", "dist")

/** Libraries that a file, and every file that it cannot do without, imports at once. */
const importedBy = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return new Set()
  seen.add(file)
  const text = readFileSync(join(dist, file), "utf8")
  const libraries = new Set<string>()
  for (const [, name = ""] of text.matchAll(/^(?:import|export)\b[^"']*?(?:from )?"([^"]+)";$/gm)) {
    if (!name.startsWith("./")) libraries.add(name)
    else for (const library of importedBy(name.slice(2), seen)) libraries.add(library)
  }
  return libraries
}

it("the server loads no driver that its settings do not name, and nothing that writes documents", () => {
  const libraries = [...importedBy("main.js")]
  expect(libraries).toContain("ws")
  expect(libraries.filter((name) => /^(mysql2|ioredis|better-sqlite3|jszip)\b/.test(name))).toEqual([])
})
