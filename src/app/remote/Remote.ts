/** A remote app: another service answers. Built from its record, it forwards each question with its history. */
import * as Effect from "effect/Effect"
import { AppNotBuilt } from "../../protocol/errors.ts"
import type { Flow } from "../../storage/rows.ts"
import type { App } from "../App.ts"
import { firstIssue } from "../firstIssue.ts"
import { onDisconnectOf } from "../onDisconnect.ts"
import { askAgUi } from "./agUi.ts"
import { lineTo } from "./Line.ts"
import { askOpenAi } from "./openai.ts"
import { decodeRemote } from "./RemoteSettings.ts"
import { unreachable } from "./reach.ts"

export interface RemoteDeps {
  /** The hosts that services may be at: `Settings.webHosts`. */
  readonly webHosts: ReadonlyArray<string>
}

export const buildRemote = (flow: Flow, { webHosts }: RemoteDeps): Effect.Effect<App, AppNotBuilt> =>
  Effect.gen(function* () {
    const notBuilt = (reason: string) => new AppNotBuilt({ flowId: flow.id, reason })
    const settings = yield* decodeRemote(flow.data ?? {}).pipe(
      Effect.mapError((error) => notBuilt(`its settings: ${firstIssue(error)}`))
    )
    const line = lineTo(settings, webHosts)
    const closed = unreachable(line.url, webHosts)
    if (closed !== null) return yield* notBuilt(closed)
    const ask = settings.protocol === "openai" ? askOpenAi : askAgUi
    return {
      flowId: flow.id,
      flowType: flow.flow_type,
      kind: "assistant",
      name: flow.name,
      onDisconnect: onDisconnectOf(flow.data),
      inputKey: "input",
      answer: (question) => ask(line, question)
    }
  })
