/** What a remote app needs that this server does not have: leave to reach its service. */
import * as Effect from "effect/Effect"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Lack } from "../Builder.ts"
import { firstIssue } from "../firstIssue.ts"
import { decodeRemote } from "./RemoteSettings.ts"
import { unreachable } from "./reach.ts"

export const remoteLacks = (
  data: unknown,
  webHosts: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Lack>, AppNotBuilt> =>
  Effect.mapBoth(decodeRemote(data), {
    onSuccess: ({ url }): ReadonlyArray<Lack> => {
      const reason = unreachable(new URL(url), webHosts)
      return reason === null ? [] : [{ nodeId: "url", type: "remote", reason }]
    },
    onFailure: (error) => new AppNotBuilt({ flowId: "", reason: `its settings: ${firstIssue(error)}` })
  })
