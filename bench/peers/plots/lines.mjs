/** Lines over a common axis, each from zero: how something went while something else was done. */
import { parse, View } from "vega"
import { compile } from "vega-lite"
import { config, followTheme, ink } from "./theme.mjs"

/**
 * @param {{ title: string, subtitle: string, x: string, y: string,
 *   points: ReadonlyArray<{ x: number, y: number, line: string }> }} plot
 */
export const drawLines = async ({ title, subtitle, x, y, points }) => {
  const lines = [...new Set(points.map(({ line }) => line))]
  const { spec } = compile({
    data: { values: points },
    title: { text: title, subtitle, anchor: "start" },
    width: 640,
    height: 220,
    mark: { type: "line", strokeWidth: 1.5 },
    encoding: {
      x: { field: "x", type: "quantitative", title: x },
      y: { field: "y", type: "quantitative", title: y, scale: { zero: true } },
      color: {
        field: "line",
        type: "nominal",
        sort: lines,
        scale: { range: ink.series },
        legend: { title: null, orient: "bottom" }
      }
    },
    config
  })
  return followTheme(await new View(parse(spec), { renderer: "none" }).toSVG())
}
