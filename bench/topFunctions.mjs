/** Where a CPU profile's time went, by function. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const nameOf = ({ functionName, url, lineNumber }) => {
  const file = url.replace(/^file:\/\//, "").replace(/^.*\/(node_modules\/|dist\/)/, "$1")
  return `${functionName || "(anonymous)"} ${file}${file ? `:${lineNumber + 1}` : ""}`.trim()
}

/** Functions by the time spent in them themselves. @param {string} directory @param {number} count */
export const topFunctions = (directory, count = 25) =>
  readdirSync(directory)
    .filter((name) => name.endsWith(".cpuprofile"))
    .map((name) => {
      const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(directory, name), "utf8"))
      const byId = new Map(nodes.map((node) => [node.id, nameOf(node.callFrame)]))
      const spent = new Map()
      samples.forEach((id, i) => {
        const key = byId.get(id)
        spent.set(key, (spent.get(key) ?? 0) + timeDeltas[i])
      })
      spent.delete("(idle)")
      const total = [...spent.values()].reduce((a, b) => a + b, 0)
      const lines = [...spent]
        .sort((a, b) => b[1] - a[1])
        .slice(0, count)
        .map(([key, micros]) => `${((micros / total) * 100).toFixed(1).padStart(5)} %  ${key}`)
      return `${name}: ${(total / 1e6).toFixed(1)} s busy\n${lines.join("\n")}`
    })
    .join("\n\n")
