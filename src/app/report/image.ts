/** An image that came as a `data:` URI, where a Word document can show it. */
import { imageSize } from "image-size"

export interface PlacedImage {
  readonly source: Buffer
  readonly format: "image/png" | "image/jpeg" | "image/gif" | "image/bmp"
  /** Pixels; as wide as the text at most. */
  readonly width: number
  readonly height: number
}

/** A page's text is about so wide. */
const maxWidth = 600
const maxHeight = 800

const formats = { png: "image/png", jpg: "image/jpeg", gif: "image/gif", bmp: "image/bmp" } as const

const formatOf = (bytes: Buffer): keyof typeof formats | null => {
  const head = bytes.subarray(0, 8).toString("latin1")
  if (head === "\x89PNG\r\n\x1a\n") return "png"
  if (head.startsWith("\xff\xd8\xff")) return "jpg"
  if (head.startsWith("GIF8")) return "gif"
  return head.startsWith("BM") ? "bmp" : null
}

/** null: it is no image that can be shown, whatever it says. */
export const placedImage = (uri: string): PlacedImage | null => {
  const source = Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64")
  const format = formatOf(source)
  if (format === null) return null
  try {
    const { width, height } = imageSize(source)
    if (!(width > 0 && height > 0)) return null
    const scale = Math.min(1, maxWidth / width, maxHeight / height)
    return {
      source,
      format: formats[format],
      width: Math.max(1, Math.round(width * scale)),
      height: Math.max(1, Math.round(height * scale))
    }
  } catch {
    return null
  }
}
