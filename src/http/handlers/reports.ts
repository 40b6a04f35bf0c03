import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { FileLinks } from "../../knowledge/links.ts"
import { Uploads } from "../../knowledge/Uploads.ts"
import { Reports } from "../../storage/Reports.ts"
import type { ReportTemplate } from "../../storage/rows.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { makeAudited } from "../audited.ts"
import { done, ok } from "../envelope.ts"
import { notFound } from "../Refused.ts"
import { makeReceive } from "../receive.ts"
import { CurrentUser } from "../SignedIn.ts"

export const ReportsLive = HttpApiBuilder.group(Api, "reports", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const reports = yield* Reports
    const uploads = yield* Uploads
    const receive = yield* makeReceive
    const links = yield* FileLinks
    const audited = yield* makeAudited

    const view = (template: ReportTemplate) =>
      Effect.map(links.sign(template.file_id), ({ url }) => ({ ...template, file_url: url }))

    return handlers
      .handle("setTemplate", ({ path, request }) =>
        Effect.gen(function* () {
          const { userId } = yield* CurrentUser
          const flow = yield* apps.toAlter(path.flow_id, () => true)
          const template = yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              const file = yield* restore(
                receive(request, {
                  flowId: flow.id,
                  userId,
                  purpose: "template",
                  chatId: () => Effect.succeed("")
                })
              )
              return yield* reports
                .add({ flow_id: flow.id, file_id: file.id, file_name: file.name, user_id: userId })
                .pipe(Effect.onError(() => Effect.ignore(uploads.remove(file.id))))
            })
          )
          yield* audited(request, "report.template.set", flow.id)
          return ok(yield* view(template))
        })
      )
      .handle("template", ({ urlParams }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(urlParams.flow_id, () => true)
          const template = yield* reports.latest(flow.id)
          return ok(Option.isNone(template) ? null : yield* view(template.value))
        })
      )
      .handle("removeTemplate", ({ urlParams, request }) =>
        Effect.gen(function* () {
          const flow = yield* apps.toAlter(urlParams.flow_id, () => true)
          const removed = yield* reports.remove(flow.id).pipe(
            Effect.tap((templates) =>
              Effect.forEach(templates, ({ file_id }) => uploads.remove(file_id), { discard: true })
            ),
            Effect.uninterruptible
          )
          if (removed.length === 0) return yield* notFound("template")
          yield* audited(request, "report.template.remove", flow.id)
          return done
        })
      )
  })
)
