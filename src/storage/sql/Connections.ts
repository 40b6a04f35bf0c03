/** Connections to a database server that are used directly; what they are good for stands at `mysql.ts`. */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export class Connections extends Context.Tag("colloquy/storage/Connections")<
  Connections,
  {
    readonly direct: Connection
    /** For a transaction, until the scope closes. */
    readonly writer: Effect.Effect<Connection, SqlError, Scope.Scope>
  }
>() {}
