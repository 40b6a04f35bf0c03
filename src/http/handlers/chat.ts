import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mayRead } from "../../account/Access.ts"
import { Uploads } from "../../knowledge/Uploads.ts"
import { SessionControl } from "../../session/SessionControl.ts"
import { Flows } from "../../storage/Flows.ts"
import { Messages } from "../../storage/Messages.ts"
import { Sessions } from "../../storage/Sessions.ts"
import { Api } from "../Api.ts"
import { makeRuns } from "../apps.ts"
import { makeAudited } from "../audited.ts"
import { done, ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { makeFreshLinks } from "../freshLinks.ts"
import { notFound, notYours } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"
import { appSummary, messageView, sessionView } from "../views.ts"

const usualPage = 20

export const ChatLive = HttpApiBuilder.group(Api, "chat", (handlers) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const messages = yield* Messages
    const flows = yield* Flows
    const control = yield* SessionControl
    const uploads = yield* Uploads
    const audited = yield* makeAudited
    const freshLinks = yield* makeFreshLinks
    const runs = makeRuns(flows)

    /** The chat, when it is the caller's to read; none when nobody has written in it. */
    const readable = (chatId: string) =>
      Effect.gen(function* () {
        const person = yield* CurrentUser
        const session = yield* sessions.get(chatId)
        if (Option.isSome(session) && !mayRead(person, session.value)) return yield* notYours("chat")
        return session
      })

    const existing = (chatId: string) =>
      Effect.flatMap(
        readable(chatId),
        Option.match({
          onNone: () => Effect.fail(notFound("chat")),
          onSome: (session) => Effect.succeed(session)
        })
      )

    return handlers
      .handle("history", ({ urlParams }) =>
        Effect.gen(function* () {
          const session = yield* readable(urlParams.chat_id)
          const flowId = given(urlParams.flow_id, null)
          if (Option.isNone(session) || (flowId !== null && session.value.flow_id !== flowId)) return ok([])
          const rows = yield* messages.page({
            chatId: urlParams.chat_id,
            before: given(urlParams.id, null),
            limit: given(urlParams.page_size, usualPage)
          })
          return ok((yield* freshLinks(rows)).map(messageView))
        })
      )
      .handle("info", ({ urlParams }) =>
        Effect.map(existing(urlParams.chat_id), (session) => ok(sessionView(session)))
      )
      .handle("list", ({ urlParams }) =>
        Effect.gen(function* () {
          const { userId } = yield* CurrentUser
          const limit = given(urlParams.limit, usualPage)
          const before = given(urlParams.before, null)
          const rows = yield* sessions.list({
            userId,
            flowType: given(urlParams.flow_type, null),
            flowId: given(urlParams.flow_id, null),
            keyword: urlParams.keyword ?? "",
            from: before === null ? { skip: (given(urlParams.page, 1) - 1) * limit } : { after: before },
            limit
          })
          const latest =
            rows.length === 0 ? [] : yield* sessions.latestMessages(rows.map((row) => row.chat_id))
          const byChat = new Map(latest.map((message) => [message.chat_id, messageView(message)]))
          return ok(
            rows.map((row) => ({ ...sessionView(row), latest_message: byChat.get(row.chat_id) ?? null }))
          )
        })
      )
      .handle("online", ({ urlParams }) =>
        Effect.gen(function* () {
          const person = yield* CurrentUser
          const { rows } = yield* flows.list({
            visibleTo: person.userId,
            flowType: given(urlParams.flow_type, null),
            keyword: urlParams.keyword ?? "",
            onlineOnly: true,
            page: given(urlParams.page, 1),
            limit: given(urlParams.limit, usualPage)
          })
          return ok(
            yield* Effect.forEach(rows, (row) =>
              Effect.map(runs(row), (data) => appSummary(row, person, data))
            )
          )
        })
      )
      .handle("delete", ({ path, request }) =>
        Effect.gen(function* () {
          const chat = yield* existing(path.chat_id)
          // The chat is gone by then; files that could not be removed are for the log.
          const removeFiles = uploads
            .removeOfChat(path.chat_id, chat.user_id)
            .pipe(
              Effect.catchAll((error) =>
                Effect.logWarning("files of a deleted chat are left").pipe(
                  Effect.annotateLogs({ chat: path.chat_id, operation: error.operation, cause: error.cause })
                )
              )
            )
          // Deleted first, so that nothing new begins in it; a client that leaves meanwhile changes nothing.
          yield* sessions.remove(path.chat_id).pipe(
            Effect.filterOrFail(
              (removed) => removed,
              () => notFound("chat")
            ),
            Effect.zipRight(control.forget(path.chat_id)),
            Effect.zipRight(removeFiles),
            Effect.zipRight(audited(request, "chat.delete", path.chat_id)),
            Effect.uninterruptible
          )
          return done
        })
      )
  })
)
