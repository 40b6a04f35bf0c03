/**
 * A session template: an app that is another one with its inputs and variables preset. Its record holds which
 * one and the values; what is built is the other app, once for all who use it, filled with them.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Flow } from "../../storage/rows.ts"
import type { App, Form, FormValues } from "../App.ts"

const names = Schema.Record({ key: Schema.String, value: Schema.String })

export const TemplateValues = Schema.Struct({
  /** The file of an input node, by node: its id as the upload answered it. */
  files: Schema.optionalWith(names, { default: () => ({}) }),
  /** Values of a variable node, by node and name. */
  variables: Schema.optionalWith(Schema.Record({ key: Schema.String, value: names }), { default: () => ({}) })
})

export const SessionTemplate = Schema.Struct({
  template_of: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/)),
  values: TemplateValues
})

export type SessionTemplate = typeof SessionTemplate.Type

const decode = Schema.decodeUnknownOption(SessionTemplate)

/** None: an app of its own. Seen without the schema, which would read the record of every app that is opened. */
export const templateOf = ({ data }: Pick<Flow, "data">): Option.Option<SessionTemplate> =>
  typeof data === "object" && data !== null && "template_of" in data ? decode(data) : Option.none()

/** What of the values the app has no place for, in words; null where all fit. */
export const misfit = (values: FormValues, form: Form | undefined): string | null => {
  for (const nodeId of Object.keys(values.files)) {
    if (form?.files.some((file) => file.nodeId === nodeId) !== true) {
      return `values.files: the app has no input node "${nodeId}" for a file`
    }
  }
  for (const [nodeId, given] of Object.entries(values.variables)) {
    const node = form?.variables.find((variable) => variable.nodeId === nodeId)
    if (node === undefined) return `values.variables: the app has no variable node "${nodeId}"`
    const unknown = Object.keys(given).find((name) => !node.names.includes(name))
    if (unknown !== undefined) return `values.variables: node "${nodeId}" has no variable "${unknown}"`
  }
  return null
}

/** The built app with the template's values, under the template's name. */
export const filled = (
  record: Flow,
  { values }: SessionTemplate,
  base: App
): Effect.Effect<App, AppNotBuilt> => {
  const notBuilt = (reason: string) => new AppNotBuilt({ flowId: record.id, reason })
  const wrong = misfit(values, base.form)
  if (wrong !== null) return Effect.fail(notBuilt(`${wrong} any more`))
  const app = base.form === undefined ? Effect.succeed(base) : base.form.fill(values)
  return app.pipe(
    Effect.map((app): App => ({ ...app, flowId: record.id, name: record.name })),
    Effect.mapError(({ reason }) => notBuilt(reason))
  )
}
