/** All stores over one state in this process, gone with it: fast tests, and servers that keep nothing. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Audit } from "../Audit.ts"
import { Files } from "../Files.ts"
import { Flows } from "../Flows.ts"
import { Messages } from "../Messages.ts"
import { Recalls } from "../Recalls.ts"
import { Reports } from "../Reports.ts"
import { Runs } from "../Runs.ts"
import { Sessions } from "../Sessions.ts"
import { StorageHealth } from "../StorageHealth.ts"
import { Users } from "../Users.ts"
import { Versions } from "../Versions.ts"
import { makeAudit } from "./Audit.ts"
import { makeFiles } from "./Files.ts"
import { makeFlows } from "./Flows.ts"
import { makeMessages } from "./Messages.ts"
import { makeRecalls } from "./Recalls.ts"
import { makeReports } from "./Reports.ts"
import { makeRuns } from "./Runs.ts"
import { makeSessions } from "./Sessions.ts"
import { emptyState } from "./state.ts"
import { makeUsers } from "./Users.ts"
import { makeVersions } from "./Versions.ts"

export const Memory = Layer.effectContext(
  Effect.sync(() => {
    const state = emptyState()
    return Context.make(Runs, makeRuns(state)).pipe(
      Context.add(Sessions, makeSessions(state)),
      Context.add(Messages, makeMessages(state)),
      Context.add(Flows, makeFlows(state)),
      Context.add(Versions, makeVersions(state)),
      Context.add(Users, makeUsers(state)),
      Context.add(Audit, makeAudit(state)),
      Context.add(Files, makeFiles(state)),
      Context.add(Recalls, makeRecalls(state)),
      Context.add(Reports, makeReports(state)),
      Context.add(StorageHealth, { check: Effect.void })
    )
  })
)
