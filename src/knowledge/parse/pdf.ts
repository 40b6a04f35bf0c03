/** PDF by pdf.js: every page's lines, and where each of them stands. */
import { createRequire } from "node:module"
import * as NodePath from "node:path"
import type { Box } from "../../protocol/RunEvent.ts"
import { collector, damaged, locked, type Parsed, type ParseLimits, type Part, Unreadable } from "./Parsed.ts"

/** pdf.js wants these of a browser when it is loaded; only drawing uses them, and nothing is drawn here. */
for (const name of ["DOMMatrix", "ImageData", "Path2D"]) {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value: class {} })
}
const PdfJs = await import("pdfjs-dist/legacy/build/pdf.mjs")

const home = NodePath.dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json"))

export const parsePdf = async (bytes: Uint8Array, limits: ParseLimits): Promise<Parsed> => {
  const task = PdfJs.getDocument({
    data: new Uint8Array(bytes),
    // Chinese, Japanese and Korean fonts often name a table of characters that the file does not bring along.
    cMapUrl: `${NodePath.join(home, "cmaps")}/`,
    cMapPacked: true,
    standardFontDataUrl: `${NodePath.join(home, "standard_fonts")}/`,
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWasm: false,
    stopAtErrors: false,
    verbosity: PdfJs.VerbosityLevel.ERRORS
  })
  try {
    const pdf = await task.promise
    const found = collector(limits)
    const pages = Math.min(pdf.numPages, limits.maxPages)
    if (pages < pdf.numPages) {
      found.cut(`has ${pdf.numPages.toLocaleString("en")} pages; at most ${limits.maxPages} are read`)
    }
    for (let number = 1; number <= pages; number++) {
      const page = await pdf.getPage(number)
      const more = found.add(await partOf(page, number))
      page.cleanup()
      if (!more) break
    }
    return found.parsed()
  } catch (error) {
    const asksForPassword = error instanceof Error && error.name === "PasswordException"
    throw new Unreadable(asksForPassword ? locked : damaged)
  } finally {
    await task.destroy()
  }
}

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof PdfJs.getDocument>["promise"]>["getPage"]>>

interface Line {
  text: string
  left: number
  top: number
  right: number
  bottom: number
}

const partOf = async (page: Page, number: number): Promise<Part> => {
  const viewport = page.getViewport({ scale: 1 })
  const { items } = await page.getTextContent()
  const lines: Array<Line> = []
  let line: Line | null = null
  const end = (): void => {
    if (line !== null && line.text.trim() !== "") lines.push(line)
    line = null
  }
  for (const item of items) {
    if (!("str" in item)) continue
    if (item.str !== "") {
      const placed: ReadonlyArray<number> = PdfJs.Util.transform(viewport.transform, item.transform)
      const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = placed
      const box = boxOf(x, y, item.width, Math.hypot(c, d) || item.height, Math.atan2(b, a))
      line = line === null ? { text: item.str, ...box } : joined(line, item.str, box)
    }
    if (item.hasEOL) end()
  }
  end()
  return {
    text: textOf(lines),
    heading: "",
    page: number,
    boxes: lines.map(({ left, top, right, bottom }): Box => {
      const [x, y] = [viewport.width, viewport.height]
      return { page: number, box: [within(left, x), within(top, y), within(right, x), within(bottom, y)] }
    })
  }
}

type Place = Omit<Line, "text">

/** Around a run of text from its baseline's start; letters reach a fifth of their height below it. */
const boxOf = (x: number, y: number, width: number, height: number, angle: number): Place => {
  const along = { x: Math.cos(angle) * width, y: Math.sin(angle) * width }
  const up = { x: Math.sin(angle) * height, y: -Math.cos(angle) * height }
  const xs = [-0.2, 0.8].flatMap((share) => [x + up.x * share, x + up.x * share + along.x])
  const ys = [-0.2, 0.8].flatMap((share) => [y + up.y * share, y + up.y * share + along.y])
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}

const joined = (line: Line, text: string, box: Place): Line => ({
  text: line.text + text,
  left: Math.min(line.left, box.left),
  top: Math.min(line.top, box.top),
  right: Math.max(line.right, box.right),
  bottom: Math.max(line.bottom, box.bottom)
})

/** A gap as high as most of a line ends a paragraph. */
const textOf = (lines: ReadonlyArray<Line>): string => {
  let text = ""
  lines.forEach((line, at) => {
    const before = lines[at - 1]
    const apart = before !== undefined && line.top - before.bottom > 0.7 * (line.bottom - line.top)
    text += `${before === undefined ? "" : apart ? "\n\n" : "\n"}${line.text.replace(/\s+/g, " ").trim()}`
  })
  return text
}

const within = (value: number, limit: number): number =>
  Math.round(Math.min(Math.max(value, 0), limit) * 100) / 100
