/** Stored files without the upload's checks before them: what the loader must hold by itself. */
import { createHash } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings, type SettingsShape } from "../../src/config.ts"
import { Documents } from "../../src/knowledge/Documents.ts"
import * as DocumentsLive from "../../src/knowledge/DocumentsLive.ts"
import { filesDirectory, storedPath } from "../../src/knowledge/stored.ts"
import { Files } from "../../src/storage/Files.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"
import { testSettings } from "../support/settings.ts"

export const shelf = (settings: Partial<SettingsShape> = {}) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "colloquy-documents-" })
      const shape = { ...testSettings, dataDir, ...settings }
      yield* fs.makeDirectory(filesDirectory(shape), { recursive: true })
      return DocumentsLive.layer.pipe(Layer.provideMerge(Layer.merge(Memory, Layer.succeed(Settings, shape))))
    })
  ).pipe(Layer.provideMerge(NodeFileSystem.layer))

export const store = (name: string, content: string | Uint8Array) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
    const id = createHash("md5").update(name).update(bytes).digest("hex")
    yield* fs.writeFile(storedPath(yield* Settings, id), bytes)
    const file = { id, flow_id: "f", user_id: 1, name, media_type: "", bytes: bytes.byteLength }
    yield* Effect.flatMap(Files, (records) => records.add(file))
    return id
  })

export const load = (name: string, content: string | Uint8Array) =>
  Effect.gen(function* () {
    const id = yield* store(name, content)
    return yield* Effect.flatMap(Documents, (documents) => documents.load(id))
  })

/** The words a user reads. */
export const refusal = (name: string, content: string | Uint8Array) =>
  load(name, content).pipe(
    Effect.flip,
    Effect.map((error) => (error._tag === "DocumentFailed" ? error.reason : String(error)))
  )
