/**
 * Looks through a zip archive before anything is made of it: .docx and .xlsx are archives, and a few kilobytes
 * of one can inflate to gigabytes.
 *
 * First the directory is read, where honest archives say how large they are. Then every entry is inflated, held
 * to what the directory said of it and thrown away, for those that lie; so no parser meets more than was allowed.
 */
import { type Entry, fromBuffer, type ZipFile } from "yauzl"
import { damaged, locked, Unreadable } from "./Parsed.ts"

const maxEntries = 10_000
const maxTotalBytes = 100 * 1024 * 1024
/** Office files are XML, which shrinks well: to a tenth, rarely to a fiftieth. Small entries may shrink as they like. */
const maxRatio = 200
const smallBytes = 1024 * 1024

const tooLarge = "unpacks to far more than its size and is not opened. Split it into smaller files."

/** OLE, which is how Office stores files with a password, and how it stored all of them before 2007. */
const oldOffice = [0xd0, 0xcf, 0x11, 0xe0]

/** Fails with `Unreadable`. */
export const checkArchive = async (bytes: Buffer, needs: string): Promise<void> => {
  if (oldOffice.every((byte, at) => bytes[at] === byte)) {
    throw new Unreadable(locked.replace("is protected", "is in an old format or protected"))
  }
  const zip = await opened(bytes)
  try {
    const entries = await listed(zip)
    if (!entries.some(({ fileName }) => fileName === needs)) throw new Unreadable(damaged)
    for (const entry of entries) await drained(zip, entry)
  } finally {
    zip.close()
  }
}

const opened = (bytes: Buffer): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true, validateEntrySizes: true }, (error, zip) =>
      error === null && zip !== undefined ? resolve(zip) : reject(new Unreadable(damaged))
    )
  })

const listed = (zip: ZipFile): Promise<ReadonlyArray<Entry>> =>
  new Promise((resolve, reject) => {
    if (zip.entryCount > maxEntries) return reject(new Unreadable(tooLarge))
    const entries: Array<Entry> = []
    let total = 0
    zip.on("error", () => reject(new Unreadable(damaged)))
    zip.on("end", () => resolve(entries))
    zip.on("entry", (entry: Entry) => {
      total += entry.uncompressedSize
      const swollen =
        entry.uncompressedSize > smallBytes && entry.uncompressedSize > entry.compressedSize * maxRatio
      if (total > maxTotalBytes || swollen) return reject(new Unreadable(tooLarge))
      if (entry.isEncrypted()) return reject(new Unreadable(locked))
      entries.push(entry)
      zip.readEntry()
    })
    zip.readEntry()
  })

/** yauzl stops at the first byte beyond what the directory said. */
const drained = (zip: ZipFile, entry: Entry): Promise<void> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null || stream === undefined) return reject(new Unreadable(damaged))
      stream.on("error", () => reject(new Unreadable(damaged)))
      stream.on("end", () => resolve())
      stream.resume()
    })
  })
