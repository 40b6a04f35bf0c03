/**
 * What a client fills an app's input nodes with: `inputs: {data: [{id, file_path, name, value}], file_path?,
 * questions?}`, judged against the nodes that the app has.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { App, Form, FormValues } from "../app/App.ts"
import { RunFailed } from "../protocol/errors.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { RunRequest } from "./Actions.ts"

const maxEntries = 500
export const maxQuestions = 1_000
const Name = Schema.String.pipe(Schema.maxLength(2_000))
const Text = Schema.String.pipe(Schema.maxLength(100_000))
const Plain = Schema.Union(Text, Schema.Number, Schema.Boolean)
const absent = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

const Entry = Schema.Struct({
  id: Name,
  file_path: absent(Name),
  name: absent(Schema.Union(Name, Schema.Array(Name).pipe(Schema.maxItems(maxEntries)))),
  value: absent(Schema.Union(Plain, Schema.Array(Plain).pipe(Schema.maxItems(10_000))))
})
type Entry = typeof Entry.Type

const Inputs = Schema.Struct({
  id: Schema.optional(Schema.Unknown),
  data: absent(Schema.Array(Entry).pipe(Schema.maxItems(maxEntries))),
  file_path: absent(Name),
  questions: absent(Schema.Array(Text).pipe(Schema.maxItems(10_000)))
})

export interface FormInputs {
  readonly entries: ReadonlyArray<Entry>
  /** A file that is for no node in particular. */
  readonly file: string | null
  readonly questions: ReadonlyArray<string>
}

const decode = Schema.decodeUnknownOption(Inputs)

/** None: these are no inputs of a form. */
export const formInputs = (inputs: Readonly<Record<string, unknown>>): Option.Option<FormInputs> =>
  Option.map(decode(inputs), ({ id, data, file_path, questions }) => {
    const file = file_path?.trim() || null
    // Without a list, the inputs may be one entry themselves.
    const isOne = (data ?? []).length === 0 && typeof id === "string" && id !== "" && file !== null
    return {
      entries: isOne ? [{ id, file_path: file }] : (data ?? []),
      file: isOne ? null : file,
      questions: spoken(questions ?? [])
    }
  })

const spoken = (texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts.filter((text) => text.trim() !== "")

const list = <A>(value: A | ReadonlyArray<A> | null | undefined): ReadonlyArray<A> =>
  value === null || value === undefined ? [] : isList(value) ? value : [value]

const isList = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

const pathOf = ({ file_path, value }: Entry): string =>
  (file_path ?? (typeof value === "string" ? value : "")).trim()

/** An upload is known by its id, wherever in a path or link it stands. */
const fileIdOf = (path: string): string => /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/.exec(path)?.[0] ?? path

const baseName = (path: string): string => path.split(/[?#]/)[0]?.split(/[/\\]/).at(-1) ?? ""

/** What the person is shown to have said. */
export const spokenOf = ({ entries, file, questions }: FormInputs): string | null => {
  const files = entries
    .filter(({ file_path }) => (file_path ?? "").trim() !== "")
    .map((entry) => list(entry.name)[0]?.trim() || baseName(pathOf(entry)))
  const named = [...files, ...(file === null ? [] : [baseName(file)])].filter((name) => name !== "")
  return named.length > 0 ? named.join(", ") : (questions[0] ?? null)
}

export interface Fillings {
  readonly values: FormValues
  /** Questions given for an input node, in place of its own. */
  readonly questions: ReadonlyMap<string, ReadonlyArray<string>>
  /** Files of questions, by input node. */
  readonly questionFiles: ReadonlyMap<string, string>
}

const noForm: Pick<Form, "questions" | "files" | "variables"> = { questions: [], files: [], variables: [] }

/** Judges the inputs against the app's nodes. */
export const fillingsOf = (app: App, given: FormInputs): Effect.Effect<Fillings, RunFailed> =>
  Effect.suspend(() => {
    const form = app.form ?? noForm
    const fail = (reason: string) => Effect.fail(new RunFailed({ reason, kind: app.kind }))
    const files = new Map<string, string>()
    const variables = new Map<string, Map<string, string>>()
    const questions = new Map<string, ReadonlyArray<string>>()
    const questionFiles = new Map<string, string>()
    for (const entry of given.entries) {
      const path = pathOf(entry)
      const variable = form.variables.find(({ nodeId }) => nodeId === entry.id)
      if (form.files.some(({ nodeId }) => nodeId === entry.id)) {
        if (path === "")
          return fail(`node "${entry.id}" needs a file: give "file_path" as the upload answered it`)
        files.set(entry.id, fileIdOf(path))
      } else if (variable !== undefined) {
        const names = list(entry.name)
        const values = list(entry.value).map(String)
        const unknown = names.find((name) => !variable.names.includes(name))
        if (unknown !== undefined) {
          return fail(`node "${entry.id}" has no variable "${unknown}"; it has ${quoted(variable.names)}`)
        }
        if (names.length === 0) return fail(`a value for node "${entry.id}" needs the variable's "name"`)
        const known = variables.get(entry.id) ?? new Map<string, string>()
        for (const [i, name] of names.entries()) known.set(name, values[i] ?? "")
        variables.set(entry.id, known)
      } else if (form.questions.some(({ nodeId }) => nodeId === entry.id)) {
        if ((entry.file_path ?? "").trim() !== "") questionFiles.set(entry.id, fileIdOf(path))
        else questions.set(entry.id, spoken(list(entry.value).map(String)))
      } else {
        const known = [...form.files, ...form.variables, ...form.questions].map(({ nodeId }) => nodeId)
        return fail(`this app has no input node "${entry.id.slice(0, 100)}"; it has ${quoted(known)}`)
      }
    }
    if (given.file !== null) {
      const open = form.files.find(({ nodeId }) => !files.has(nodeId))
      if (open === undefined) return fail("this app has no input node that takes the file")
      files.set(open.nodeId, fileIdOf(given.file))
    }
    return Effect.succeed({
      values: {
        files: Object.fromEntries(files),
        variables: Object.fromEntries([...variables].map(([id, values]) => [id, Object.fromEntries(values)]))
      },
      questions,
      questionFiles
    })
  })

const quoted = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "none" : names.map((name) => `"${name}"`).join(", ")

/** Somebody else's file is as good as none. */
export const readableOnly = (
  { values, questionFiles }: Fillings,
  { app, mayRead }: Pick<RunRequest, "app" | "mayRead">
): Effect.Effect<void, RunFailed | StorageError> => {
  const ids = [...Object.values(values.files), ...questionFiles.values()]
  if (ids.length === 0) return Effect.void
  return Effect.flatMap(mayRead(ids), (may) =>
    may
      ? Effect.void
      : Effect.fail(
          new RunFailed({
            reason: "there is no such file; upload it again",
            kind: app.kind,
            about: "document"
          })
        )
  )
}

/** The app with these values in its nodes: the same one where none were given. */
export const filledApp = (app: App, { values }: Fillings): Effect.Effect<App, RunFailed> => {
  const isEmpty = Object.keys(values.files).length === 0 && Object.keys(values.variables).length === 0
  if (isEmpty || app.form === undefined) return Effect.succeed(app)
  return Effect.catchTag(app.form.fill(values), "AppNotBuilt", ({ reason }) =>
    Effect.fail(new RunFailed({ reason, kind: app.kind }))
  )
}
