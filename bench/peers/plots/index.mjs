/** The plots of docs/performance.md, from what `npm run bench -- --json FILE` wrote. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { here } from "../install.mjs"
import { draw } from "./chart.mjs"
import { drawLines } from "./lines.mjs"

const folder = join(here, "..", "..", "docs", "plots")

const plots = [
  { file: "peers-cpu", title: "CPU time of a delivered token", cases: { "peers CPU": "CPU" } },
  { file: "peers-bytes", title: "What a token weighs on the wire", cases: { "peers bytes": "bytes" } },
  {
    file: "peers-first-token",
    title: "What is added to the first token",
    cases: { "peers first token added p50": "p50", "peers first token added p99": "p99" }
  },
  {
    file: "peers-close",
    title: "From the last token to the answer's end",
    cases: { "peers last token to close p50": "p50", "peers last token to close p99": "p99" }
  },
  {
    file: "streaming-cpu",
    title: "CPU time of a delivered token, ours and the floor",
    cases: { "streaming CPU": "CPU" },
    unit: "µs/token"
  }
]

/** Whether the figures of a server (or of ours, of a class) at a concurrency are not to be taken for those at ease. */
const isDoubtful = (notes, about, concurrency) =>
  notes.some(
    (note) =>
      note.about === about &&
      note.concurrency === concurrency &&
      (note.kind === "invalid" || note.text.startsWith("saturated"))
  )

/** A case as a dot for each server that has a figure. */
const dotsOf = (one, measure, notes) => {
  const at = `${one.concurrency} at a time`
  const figures = [
    { server: `ours, ${one.class}`, about: one.class, value: one.ours },
    { server: "bare ws", about: "floor", value: one.floor },
    ...Object.entries(one.peers).map(([peer, value]) => ({ server: peer, about: peer, value }))
  ]
  return figures
    .filter(({ value }) => value !== null && value > 0)
    .map(({ server, about, value }) => ({
      server,
      at,
      measure,
      value,
      doubtful: isDoubtful(notes, about, one.concurrency)
    }))
}

/** The floor and the peers are in the cases of every class of ours, and drawn once; ours come first. */
const unique = (dots) => {
  const kept = [...new Map(dots.map((dot) => [`${dot.server} ${dot.at} ${dot.measure}`, dot])).values()]
  const isOurs = ({ server }) => server.startsWith("ours")
  return [...kept.filter(isOurs), ...kept.filter((dot) => !isOurs(dot))]
}

const megabytes = (bytes) => bytes / 1024 ** 2

/** What the server held on the way of the soak. */
const drawSoak = ({ samples, concurrency }) =>
  drawLines({
    title: "Memory over runs",
    subtitle: `after forced collections; runs in ${concurrency.toLocaleString("en")} sessions`,
    x: "runs",
    y: "MB",
    points: samples.flatMap(({ runs, heapUsed, rss }) => [
      { x: runs, y: megabytes(heapUsed), line: "heap used" },
      { x: runs, y: megabytes(rss), line: "resident" }
    ])
  })

/** A plot whose cases are not in the file stays as it was. @param {string} file @returns {Promise<Array<string>>} those drawn */
export const drawPlots = async (file) => {
  const { cases, notes } = JSON.parse(readFileSync(file, "utf8"))
  mkdirSync(folder, { recursive: true })
  const drawn = []
  const keep = (name, svg) => {
    writeFileSync(join(folder, `${name}.svg`), `${svg}\n`)
    drawn.push(`docs/plots/${name}.svg`)
  }
  for (const plot of plots) {
    const chosen = cases.filter(
      ({ name, unit }) => name in plot.cases && (plot.unit === undefined || unit === plot.unit)
    )
    if (chosen.length === 0) continue
    const dots = unique(chosen.flatMap((one) => dotsOf(one, plot.cases[one.name], notes)))
    const svg = await draw({ title: plot.title, unit: chosen[0].unit, dots })
    keep(plot.file, svg)
  }
  const soak = cases.find(({ name }) => name === "soak heap growth")
  if (soak?.samples) keep("soak", await drawSoak(soak))
  return drawn
}
