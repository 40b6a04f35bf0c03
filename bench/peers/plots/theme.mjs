/** Colours that can be read on a light page, and what they become on a dark one. */

export const ink = {
  text: "#1f2328",
  faint: "#59636e",
  line: "#d1d9e0",
  series: ["#0969da", "#bc4c00"]
}

/** Of every chart. */
export const config = {
  background: null,
  font: "system-ui, sans-serif",
  title: { color: ink.text, subtitleColor: ink.faint, fontSize: 14 },
  header: { labelColor: ink.text, labelFontSize: 12 },
  legend: { labelColor: ink.text },
  view: { stroke: ink.line },
  axis: {
    labelColor: ink.text,
    titleColor: ink.faint,
    gridColor: ink.line,
    domainColor: ink.line,
    tickColor: ink.line
  }
}

const dark = {
  [ink.text]: "#f0f6fc",
  [ink.faint]: "#9198a1",
  [ink.line]: "#3d444d",
  [ink.series[0]]: "#4493f8",
  [ink.series[1]]: "#f0883e"
}

const rules = Object.entries(dark).flatMap(([from, to]) => [
  `[fill="${from}"] { fill: ${to} }`,
  `[stroke="${from}"] { stroke: ${to} }`
])

/** The picture follows the reader's colour scheme. @param {string} svg */
export const followTheme = (svg) =>
  svg.replace(/(<svg[^>]*>)/, `$1<style>@media (prefers-color-scheme: dark) { ${rules.join(" ")} }</style>`)
