/** What the endpoints for skills, workflows and assistants share: finding an app, asking the rules, writing it down. */
import { randomBytes } from "node:crypto"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mayAlter, mayUse } from "../account/Access.ts"
import { templateOf } from "../app/templates/SessionTemplate.ts"
import { type FlowChange, type FlowStore, Flows, type NewFlow } from "../storage/Flows.ts"
import type { Flow } from "../storage/rows.ts"
import { makeAudited } from "./audited.ts"
import { notFound, notYours } from "./Refused.ts"
import { CurrentUser } from "./SignedIn.ts"

/** What an app runs: its own data, or of a session template the data of the app that it is made of. */
export const makeRuns = (flows: FlowStore) => (flow: Flow) =>
  Option.match(templateOf(flow), {
    onNone: () => Effect.succeed(flow.data),
    onSome: ({ template_of }) =>
      Effect.map(
        flows.get(template_of),
        Option.match({ onNone: () => flow.data, onSome: (base) => base.data })
      )
  })

export const makeApps = Effect.gen(function* () {
  const flows = yield* Flows
  const audited = yield* makeAudited

  const orNotFound = (found: Option.Option<Flow>) =>
    Option.match(found, {
      onNone: () => Effect.fail(notFound("app")),
      onSome: (flow) => Effect.succeed(flow)
    })

  const get = (id: string, isWanted: (flow: Flow) => boolean) =>
    Effect.flatMap(flows.get(id), (found) => orNotFound(Option.filter(found, isWanted)))

  /** An app that the caller may use. */
  const toUse = (id: string, isWanted: (flow: Flow) => boolean) =>
    Effect.gen(function* () {
      const flow = yield* get(id, isWanted)
      return mayUse(yield* CurrentUser, flow) ? flow : yield* notYours("app")
    })

  /** An app that the caller may alter. */
  const toAlter = (id: string, isWanted: (flow: Flow) => boolean) =>
    Effect.gen(function* () {
      const flow = yield* get(id, isWanted)
      return mayAlter(yield* CurrentUser, flow) ? flow : yield* notYours("app")
    })

  const create = (request: HttpServerRequest, app: Omit<NewFlow, "id" | "user_id">) =>
    Effect.gen(function* () {
      const { userId } = yield* CurrentUser
      const id = yield* Effect.sync(() => randomBytes(16).toString("hex"))
      return yield* Effect.tap(flows.create({ ...app, id, user_id: userId }), () =>
        audited(request, "app.create", id)
      )
    })

  const update = (request: HttpServerRequest, { id }: Flow, change: FlowChange) =>
    flows.update(id, change).pipe(
      Effect.flatMap(orNotFound),
      Effect.tap(() => audited(request, "app.update", id))
    )

  const remove = (request: HttpServerRequest, { id }: Flow) =>
    Effect.gen(function* () {
      if (!(yield* flows.remove(id))) return yield* notFound("app")
      yield* audited(request, "app.delete", id)
    })

  return { runs: makeRuns(flows), toUse, toAlter, create, update, remove, list: flows.list }
})
