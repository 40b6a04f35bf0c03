/**
 * The apps of a fresh start, one of each kind, so that there is something real to talk to within a minute: run
 * at start, after the migrations. Does nothing as soon as there is any app.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type FlowStore, Flows, type NewFlow } from "../../storage/Flows.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { batchSkill } from "./batch.ts"
import { chatSkill } from "./chat.ts"
import { docsAssistant } from "./docs.ts"
import { groupChat } from "./group.ts"
import { reportSkill } from "./report.ts"
import { draftWorkflow } from "./workflow.ts"

export const builtIn: ReadonlyArray<NewFlow> = [
  chatSkill,
  docsAssistant,
  groupChat,
  batchSkill,
  reportSkill,
  draftWorkflow
]

/** Safe when several servers start at once on one database. */
export const seedApps: Effect.Effect<void, StorageError, Flows> = Effect.gen(function* () {
  const flows = yield* Flows
  const { total } = yield* flows.list({
    visibleTo: null,
    flowType: null,
    keyword: "",
    onlineOnly: false,
    page: 1,
    limit: 1
  })
  if (total > 0) return
  yield* Effect.forEach(builtIn, (app) => createOnce(flows, app), { discard: true })
})

const createOnce = (flows: FlowStore, app: NewFlow): Effect.Effect<void, StorageError> =>
  flows.create(app).pipe(
    Effect.asVoid,
    Effect.catchAll((error) =>
      Effect.flatMap(flows.get(app.id), (found) =>
        // Here already: another server was faster. Not here, and yet refused: someone deleted it, and a
        // deleted id cannot be used again, which is no reason not to start.
        Option.isSome(found)
          ? Effect.void
          : Effect.logWarning(`the built-in app "${app.name}" was not created`, error.operation)
      )
    )
  )
