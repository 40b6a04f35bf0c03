/** Results as a table, as JSON, and against the baseline. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"

/**
 * @typedef {{ name: string, class: string, concurrency: number, unit: string, ours: number, floor: number,
 *   ratio: number, peers: Record<string, number | null>, remarks: Record<string, string>,
 *   better: "lower" | "higher", gate: boolean, samples?: ReadonlyArray<object>, invalid: string | null, noise: number | null }} Case `peers`: their
 *   figures, null for those that are not here; `remarks`: why a peer's figure is not that of a server at ease; `gate`:
 *   --check judges it; `noise`: cores that other programs used meanwhile
 */

/** @param {Partial<Case>} result @returns {Case} */
export const complete = (result) => ({
  better: "lower",
  gate: false,
  invalid: null,
  noise: null,
  peers: {},
  remarks: {},
  ...result,
  ratio: result.ours / result.floor
})

const keyOf = (one) => `${one.name} (${one.unit}), ${one.class}, ${one.concurrency}`

const figure = (value) => {
  if (!Number.isFinite(value)) return "–"
  if (value >= 1000) return Math.round(value).toLocaleString("en")
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** How many cells of a row are words, which stand at the left. */
const words = 4

/** A Markdown table, aligned. @param {ReadonlyArray<ReadonlyArray<string>>} rows the first is the head */
const aligned = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const pad = (cell, i) => (i < words ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
  const line = (cells) => `| ${cells.map(pad).join(" | ")} |`
  const rule = widths.map((width, i) => (i < words ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`))
  return [line(rows[0]), `|${rule.join("|")}|`, ...rows.slice(1).map(line)].join("\n")
}

/** A peer's figure and ours over it; with a star where a remark says more. */
const besides = (one, peer) => {
  const value = one.peers[peer]
  if (value === null || value === undefined || !Number.isFinite(value)) return "–"
  return `${figure(value)}${peer in one.remarks ? "*" : ""} (${figure(one.ours / value)})`
}

const rowsOf = (cases) => {
  const peers = [...new Set(cases.flatMap((one) => Object.keys(one.peers)))]
  return [
    ["", "class", "at", "unit", "ours", "bare ws", "ratio", ...peers],
    ...cases.map((one) => [
      `${one.name}${one.invalid !== null ? " (invalid)" : one.noise !== null ? " (noisy)" : ""}`,
      one.class,
      figure(one.concurrency).replace(/\.0+$/, ""),
      one.unit,
      figure(one.ours),
      figure(one.floor),
      figure(one.ratio),
      ...peers.map((peer) => besides(one, peer))
    ])
  ]
}

/**
 * Everything that speaks against figures, each once.
 * @typedef {{ kind: "invalid" | "noisy" | "peer", about: string, concurrency: number, text: string }} Note
 * @param {ReadonlyArray<Case>} cases @returns {Array<Note>}
 */
const notesOf = (cases) => {
  const notes = cases.flatMap((one) =>
    [
      ...(one.invalid === null ? [] : [{ kind: "invalid", about: one.class, text: one.invalid }]),
      ...(one.noise === null
        ? []
        : [{ kind: "noisy", about: one.class, text: `other programs used ${one.noise} cores meanwhile` }]),
      ...Object.entries(one.remarks).map(([peer, text]) => ({ kind: "peer", about: peer, text }))
    ].map((note) => ({ ...note, concurrency: one.concurrency }))
  )
  return [...new Map(notes.map((note) => [JSON.stringify(note), note])).values()]
}

const sentence = ({ kind, about, concurrency, text }) =>
  `${kind === "peer" ? "*" : `${kind}:`} ${about} at ${concurrency}: ${text}`

/** A table of ours and the floor, and one with the peers. @param {ReadonlyArray<Case>} cases */
export const table = (cases) => {
  const hasPeers = (one) => Object.keys(one.peers).length > 0
  const parts = [cases.filter((one) => !hasPeers(one)), cases.filter(hasPeers)]
  const tables = parts.filter((part) => part.length > 0).map((part) => aligned(rowsOf(part)))
  const notes = notesOf(cases).map(sentence)
  return [...tables, ...(notes.length > 0 ? [notes.join("\n")] : [])].join("\n\n")
}

/** What cannot be said as a number is null. */
const finite = (value) => (Number.isFinite(value) ? value : null)

/**
 * `{cases, machine, notes}`: of each case what is compared, in its unit; what speaks against figures is in the notes.
 * @param {string} file @param {ReadonlyArray<Case>} cases @param {object} machine
 */
export const writeJson = (file, cases, machine) => {
  const written = cases.map(
    ({ name, class: kind, concurrency, unit, ours, floor, ratio, peers, samples }) => ({
      name,
      class: kind,
      concurrency,
      unit,
      ours: finite(ours),
      floor: finite(floor),
      ratio: finite(ratio),
      peers: Object.fromEntries(Object.entries(peers).map(([peer, value]) => [peer, finite(value)])),
      ...(samples && { samples })
    })
  )
  writeFileSync(file, `${JSON.stringify({ cases: written, machine, notes: notesOf(cases) }, null, 2)}\n`)
}

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
