/** What a zip archive holds, by its directory alone: nothing is unpacked. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Yauzl from "yauzl"

export class BrokenZip extends Data.TaggedError("BrokenZip") {}

/** More parts than any document has. */
const maxEntries = 5_000

export const zipNames = (path: string): Effect.Effect<ReadonlySet<string>, BrokenZip> =>
  Effect.async((resume) => {
    let opened: Yauzl.ZipFile | null = null
    let isOver = false
    const end = (result: Effect.Effect<ReadonlySet<string>, BrokenZip>) => {
      isOver = true
      opened?.close()
      resume(result)
    }
    const broken = () => end(Effect.fail(new BrokenZip()))
    Yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error !== null) return broken()
      opened = zip
      if (isOver) return zip.close()
      if (zip.entryCount > maxEntries) return broken()
      const names = new Set<string>()
      zip.on("error", broken)
      zip.on("end", () => end(Effect.succeed(names)))
      zip.on("entry", (entry) => {
        names.add(entry.fileName)
        zip.readEntry()
      })
      zip.readEntry()
    })
    return Effect.sync(() => {
      isOver = true
      opened?.close()
    })
  })
