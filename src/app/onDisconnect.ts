/** What an app's record says about runs that nobody watches any more: `on_disconnect` beside its graph or settings. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { App } from "./App.ts"

const Said = Schema.Struct({ on_disconnect: Schema.Literal("continue", "cancel") })

const decode = Schema.decodeUnknownOption(Said)

/** "continue" unless the record says "cancel". */
export const onDisconnectOf = (data: unknown): App["onDisconnect"] =>
  Option.match(decode(data), { onNone: () => "continue", onSome: ({ on_disconnect }) => on_disconnect })
