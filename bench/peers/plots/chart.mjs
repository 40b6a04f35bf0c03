/** A dot plot: a row for each server, a column for each concurrency, a colour for each measure; to the left is better. */
import { parse, View } from "vega"
import { compile } from "vega-lite"
import { config, followTheme, ink } from "./theme.mjs"

/**
 * @typedef {{ server: string, at: string, measure: string, value: number, doubtful: boolean }} Dot
 * @param {{ title: string, unit: string, dots: ReadonlyArray<Dot> }} plot
 */
const specOf = ({ title, unit, dots }) => {
  const servers = [...new Set(dots.map(({ server }) => server))]
  const columns = [...new Set(dots.map(({ at }) => at))]
  const measures = [...new Set(dots.map(({ measure }) => measure))]
  const y = { field: "server", type: "nominal", sort: servers, title: null }
  const x = { field: "value", type: "quantitative", scale: { type: "log", nice: true }, title: unit }
  const color = {
    field: "measure",
    type: "nominal",
    sort: measures,
    scale: { range: ink.series },
    legend: measures.length > 1 ? { title: null, orient: "bottom" } : null
  }
  return {
    data: { values: dots },
    title: { text: title, subtitle: "logarithmic; hollow: saturated or invalid", anchor: "start" },
    facet: { column: { field: "at", type: "nominal", sort: columns, title: null } },
    spec: {
      width: 300,
      height: { step: 26 },
      layer: [
        {
          mark: { type: "point", size: 70, strokeWidth: 2 },
          encoding: {
            x,
            y,
            color,
            fill: {
              condition: { test: "datum.doubtful", value: null },
              field: "measure",
              scale: { range: ink.series }
            }
          }
        },
        // Of two measures the first is said at the left of its dot, the other at the right.
        ...measures.map((measure, i) => ({
          transform: [{ filter: { field: "measure", equal: measure } }],
          mark: {
            type: "text",
            fontSize: 9,
            color: ink.text,
            ...(i < measures.length - 1 ? { align: "right", dx: -7 } : { align: "left", dx: 7 })
          },
          encoding: { x, y, text: { field: "label" } }
        }))
      ]
    },
    config
  }
}

const short = (value) => (value >= 100 ? value.toFixed(0) : Number(value.toPrecision(2)).toString())

/** @param {{ title: string, unit: string, dots: ReadonlyArray<Dot> }} plot */
export const draw = async ({ dots, ...plot }) => {
  const labelled = dots.map((dot) => ({ ...dot, label: short(dot.value) }))
  const { spec } = compile(specOf({ ...plot, dots: labelled }))
  const view = new View(parse(spec), { renderer: "none" })
  return followTheme(await view.toSVG())
}
