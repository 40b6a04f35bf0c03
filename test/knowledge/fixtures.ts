/** What the knowledge room stands on, in memory and in a directory that is gone with the scope. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Settings } from "../../src/config.ts"
import * as Library from "../../src/knowledge/Library.ts"
import * as Uploads from "../../src/knowledge/Uploads.ts"
import { Files } from "../../src/storage/Files.ts"
import { Flows } from "../../src/storage/Flows.ts"
import { Memory } from "../../src/storage/memory/Memory.ts"

export const flowA = "a".repeat(32)
export const flowB = "b".repeat(32)
/** Both apps are hers. */
export const owner = 1

const files = Layer.provide(Layer.effect(Files, Files), Memory)

const unused = Effect.dieMessage("not part of these tests")

const flows = Layer.succeed(
  Flows,
  Flows.of({
    get: (id) =>
      Effect.succeed(
        id === flowA || id === flowB
          ? Option.some({
              id,
              name: "app",
              description: "",
              flow_type: 5,
              status: 2,
              user_id: owner,
              data: {},
              version_id: 1,
              create_time: new Date(0),
              update_time: new Date(0)
            })
          : Option.none()
      ),
    head: () => unused,
    create: () => unused,
    update: () => unused,
    remove: () => unused,
    list: () => unused
  })
)

/** The room over a fresh data directory; `documentation` has the product's documents in `docs`. */
export const knowledge = (documents: Readonly<Record<string, string>> = {}, maxUploadBytes = 1_000_000) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "colloquy-knowledge-" })
      yield* fs.makeDirectory(`${directory}/docs`)
      yield* Effect.forEach(Object.entries(documents), ([name, text]) =>
        fs.writeFileString(`${directory}/${name}`, text)
      )
      const settings = Settings.Env.pipe(
        Layer.provide(
          Layer.setConfigProvider(
            ConfigProvider.fromMap(
              new Map([
                ["DATA_DIR", `${directory}/data`],
                ["MAX_UPLOAD_BYTES", String(maxUploadBytes)]
              ])
            )
          )
        )
      )
      return Layer.mergeAll(Library.layerWith({ documentation: directory }), Uploads.layer).pipe(
        Layer.provideMerge(Layer.mergeAll(files, flows, settings))
      )
    })
  ).pipe(Layer.provideMerge(NodeFileSystem.layer))

export const upload = (
  name: string,
  content: string | Uint8Array | ReadonlyArray<Uint8Array>,
  where: { readonly flowId?: string; readonly userId?: number } = {}
) =>
  Effect.flatMap(Uploads.Uploads, (uploads) =>
    uploads.save({
      flowId: where.flowId ?? flowA,
      userId: where.userId ?? owner,
      name,
      content: Stream.fromIterable(
        typeof content === "string"
          ? [new TextEncoder().encode(content)]
          : content instanceof Uint8Array
            ? [content]
            : content
      )
    })
  )
