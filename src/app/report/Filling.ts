/** What goes to the worker that fills a template, and what comes back. */
import * as Schema from "effect/Schema"

export const Row = Schema.Record({ key: Schema.String, value: Schema.String })

export const Filling = Schema.Struct({
  template: Schema.Uint8ArrayFromSelf,
  /** By the variable's name. Markdown; a `data:` URI of an image becomes the image. */
  values: Row,
  /** Lists by name, for what stands between `{{#name}}` and `{{/name}}`. */
  lists: Schema.Record({ key: Schema.String, value: Schema.Array(Row) })
})
export type Filling = typeof Filling.Type

export const Filled = Schema.Struct({
  bytes: Schema.Uint8ArrayFromSelf,
  /** The template's variables that nothing filled, in the order they stand there. */
  unfilled: Schema.Array(Schema.String)
})
export type Filled = typeof Filled.Type

export const Reply = Schema.Union(
  Schema.Struct({ _tag: Schema.Literal("Filled"), ...Filled.fields }),
  Schema.Struct({ _tag: Schema.Literal("Refused"), reason: Schema.String })
)
export type Reply = typeof Reply.Type
