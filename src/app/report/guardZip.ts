/**
 * Holds an uploaded archive to its bounds before anything else reads it: entries and sizes by its directory,
 * then that the directory does not lie (each entry is inflated once, never beyond what it declared).
 */
import * as Yauzl from "yauzl"
import { Unfillable } from "./Unfillable.ts"

export interface ZipLimits {
  readonly maxEntries: number
  /** Of all entries together, unpacked. */
  readonly maxBytes: number
}

export const guardZip = (bytes: Buffer, limits: ZipLimits): Promise<void> =>
  new Promise((resolve, reject) => {
    const refuse = (reason: string) => reject(new Unfillable(reason))
    const broken = () => refuse("the template is not a Word document (.docx), or it is damaged")
    Yauzl.fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
      if (error !== null) return broken()
      if (zip.entryCount > limits.maxEntries) return refuse("the template has too many parts")
      let unpacked = 0
      zip.on("error", broken)
      zip.on("end", () => resolve())
      zip.on("entry", (entry) => {
        unpacked += entry.uncompressedSize
        if (unpacked > limits.maxBytes) {
          return refuse(`the template is larger than ${limits.maxBytes >> 20} MB when unpacked`)
        }
        if (entry.isEncrypted()) return refuse("the template is encrypted; save it without a password")
        zip.openReadStream(entry, (failed, stream) => {
          if (failed !== null) return broken()
          stream.on("error", broken)
          stream.on("end", () => zip.readEntry())
          stream.resume()
        })
      })
      zip.readEntry()
    })
  })
