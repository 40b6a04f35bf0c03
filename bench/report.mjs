/** Results as a table, as JSON, and against the baseline. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"

/**
 * @typedef {{ name: string, class: string, concurrency: number, unit: string, ours: number, floor: number,
 *   ratio: number, better: "lower" | "higher", gate: boolean, invalid: string | null, noise: number | null }} Case `gate`: --check judges it; `noise`: cores
 *   that other programs used meanwhile
 */

/** @param {Partial<Case>} result @returns {Case} */
export const complete = (result) => ({
  better: "lower",
  gate: false,
  invalid: null,
  noise: null,
  ...result,
  ratio: result.ours / result.floor
})

const keyOf = (one) => `${one.name} (${one.unit}), ${one.class}, ${one.concurrency}`

const figure = (value) => {
  if (!Number.isFinite(value)) return "–"
  if (value >= 1000) return Math.round(value).toLocaleString("en")
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** A Markdown table, aligned. @param {ReadonlyArray<Case>} cases */
export const table = (cases) => {
  const rows = [
    ["", "class", "at", "unit", "ours", "bare ws", "ratio"],
    ...cases.map((one) => [
      `${one.name}${one.invalid !== null ? " (invalid)" : one.noise !== null ? " (noisy)" : ""}`,
      one.class,
      figure(one.concurrency).replace(/\.0+$/, ""),
      one.unit,
      figure(one.ours),
      figure(one.floor),
      figure(one.ratio)
    ])
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (cells) =>
    `| ${cells.map((cell, i) => (i < 4 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(" | ")} |`
  const rule = `|${widths.map((width, i) => (i < 4 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`
  const notes = new Set(
    cases.flatMap((one) => [
      ...(one.invalid === null ? [] : [`invalid: ${one.invalid}`]),
      ...(one.noise === null ? [] : [`noisy: other programs used ${one.noise} cores meanwhile`])
    ])
  )
  return [line(rows[0]), rule, ...rows.slice(1).map(line), ...(notes.size > 0 ? ["", ...notes] : [])].join(
    "\n"
  )
}

/** @param {string} file @param {ReadonlyArray<Case>} cases @param {object} machine */
export const writeJson = (file, cases, machine) =>
  writeFileSync(file, `${JSON.stringify({ machine, cases }, null, 2)}\n`)

/** How much worse a ratio may get. */
const tolerance = 1.15

/** @param {string} file @param {ReadonlyArray<Case>} cases only those that gate are kept */
export const writeBaseline = (file, cases) => {
  const old = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}
  const measured = cases
    .filter((one) => one.gate && one.invalid === null)
    .map((one) => [keyOf(one), Number(one.ratio.toFixed(3))])
  writeFileSync(file, `${JSON.stringify({ ...old, ...Object.fromEntries(measured) }, null, 2)}\n`)
}

/** Sentences about what got worse, or could not be judged. @param {string} file @param {ReadonlyArray<Case>} cases */
export const compare = (file, cases) => {
  if (!existsSync(file)) return [`${file} is missing: run with --save-baseline first`]
  const baseline = JSON.parse(readFileSync(file, "utf8"))
  return cases
    .filter((one) => one.gate && keyOf(one) in baseline)
    .flatMap((one) => {
      const before = baseline[keyOf(one)]
      if (one.invalid !== null) return [`${keyOf(one)}: not valid, ${one.invalid}`]
      const worse = one.better === "lower" ? one.ratio / before : before / one.ratio
      if (worse <= tolerance) return []
      return [`${keyOf(one)}: ratio ${one.ratio.toFixed(2)}, baseline ${before.toFixed(2)}`]
    })
}
