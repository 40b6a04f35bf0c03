/**
 * The file in a form (multipart/form-data), read as it arrives.
 *
 * The platform's own reader is not used: a malformed part name makes it throw outside of any fiber, which ends
 * the process, and a form that is cut off inside a file leaves it waiting for ever. Here every step of the same
 * parser runs inside the stream that is read.
 */
import type { Readable } from "node:stream"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Multipasta from "multipasta"

/** It is no form, or it is cut off. */
export class BrokenForm extends Data.TaggedError("BrokenForm") {}

export interface FormFile {
  /** As the client named it. */
  readonly name: string
  readonly content: Stream.Stream<Uint8Array, BrokenForm>
  /** What the form says beside, the first value of each name; to be asked when the content has been read. */
  readonly fields: Effect.Effect<FormFields, BrokenForm>
}

export type FormFields = ReadonlyMap<string, string>

const maxParts = 16
const maxFieldSize = 64 * 1024
/** What is read behind the file; in what comes later nobody looks for fields. */
const maxRest = 1024 * 1024

const ignore = (): void => undefined

/** The form's first file, with whatever name its field has; none when there is no file in it. */
export const firstFile = (
  source: Readable,
  contentType: string
): Effect.Effect<Option.Option<FormFile>, BrokenForm, Scope.Scope> =>
  Effect.gen(function* () {
    const seen = { name: "", isFound: false, isEnded: false, isBroken: false, rest: 0 }
    const fields = new Map<string, string>()
    let pieces: Array<Uint8Array> = []

    /** One step of the parser: what of the file it brought. */
    const step = (take: () => void) =>
      Effect.try({ try: take, catch: () => new BrokenForm() }).pipe(
        Effect.flatMap(() => {
          if (seen.isBroken) return Effect.fail(new BrokenForm())
          const brought = Chunk.unsafeFromArray(pieces)
          pieces = []
          return Effect.succeed(brought)
        })
      )

    const parser = yield* Effect.try({
      try: () =>
        Multipasta.make({
          headers: { "content-type": contentType },
          maxParts,
          maxFieldSize,
          isFile: (info) => isNamed(dispositionOf(info)),
          onField: (info, value) => {
            if (!fields.has(info.name)) fields.set(info.name, Multipasta.decodeField(info, value))
          },
          onFile: (info) => {
            if (seen.isFound) return ignore
            seen.isFound = true
            seen.name = fileNameOf(dispositionOf(info))
            // Tells that the name is known, also of a file without a byte.
            pieces.push(new Uint8Array(0))
            return (chunk) => {
              if (chunk === null) seen.isEnded = true
              else pieces.push(chunk)
            }
          },
          onError: () => {
            seen.isBroken = true
          },
          onDone: ignore
        }),
      catch: () => new BrokenForm()
    })

    const steps = NodeStream.fromReadable<BrokenForm, Uint8Array>(
      () => source,
      () => new BrokenForm(),
      // Destroying the request would take the answer's connection along.
      { closeOnDone: false }
    ).pipe(
      Stream.mapEffect((chunk) => {
        if (seen.isEnded) seen.rest += chunk.byteLength
        return step(() => parser.write(chunk))
      }),
      Stream.concat(Stream.fromEffect(Effect.suspend(() => step(() => parser.end()))))
    )

    const pullSteps = yield* Stream.toPull(steps)
    const pull = Effect.map(pullSteps, Chunk.flatten)
    const pullFile = Effect.suspend(() => (seen.isEnded ? Effect.fail(Option.none()) : pull))
    const toTheEnd = Effect.catchAll(
      Effect.repeat(pull, { until: () => seen.rest > maxRest }),
      Option.match({ onNone: () => Effect.void, onSome: (error) => Effect.fail(error) })
    )
    const begun = yield* Effect.repeat(pull, { until: Chunk.isNonEmpty }).pipe(
      Effect.asSome,
      Effect.catchAll(
        Option.match({ onNone: () => Effect.succeedNone, onSome: (error) => Effect.fail(error) })
      )
    )
    return Option.map(begun, (first) => ({
      name: seen.name,
      content: Stream.concat(Stream.fromChunk(first), Stream.repeatEffectChunkOption(pullFile)),
      fields: Effect.as(toTheEnd, fields)
    }))
  })

const dispositionOf = ({ headers }: Multipasta.PartInfo): string => {
  const value = headers["content-disposition"]
  return typeof value === "string" ? value : ""
}

const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i
const quoted = /;\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"/i
const bare = /;\s*filename\s*=\s*([^";\s]+)/i

const isNamed = (disposition: string): boolean => /;\s*filename\*?\s*=/i.test(disposition)

/** The parser itself knows no name beyond Latin letters. Browsers write a quote as %22, other programs as \". */
const fileNameOf = (disposition: string): string => {
  const encoded = extended.exec(disposition)?.[1]
  if (encoded !== undefined) return decodeURIComponent(encoded)
  const plain = quoted.exec(disposition)?.[1] ?? bare.exec(disposition)?.[1] ?? ""
  return plain.replaceAll('\\"', '"').replaceAll("%22", '"')
}
