import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { FileLinks } from "../../knowledge/links.ts"
import { Uploads } from "../../knowledge/Uploads.ts"
import { isChatId } from "../../protocol/ids.ts"
import { Files } from "../../storage/Files.ts"
import type { StoredFile } from "../../storage/rows.ts"
import { Sessions } from "../../storage/Sessions.ts"
import { Api } from "../Api.ts"
import { makeApps } from "../apps.ts"
import { makeAudited } from "../audited.ts"
import { done, ok } from "../envelope.ts"
import { given } from "../fields.ts"
import { invalid, notFound, notYours } from "../Refused.ts"
import { makeReceive } from "../receive.ts"
import { CurrentUser } from "../SignedIn.ts"

const usualPage = 20

export const FilesLive = HttpApiBuilder.group(Api, "files", (handlers) =>
  Effect.gen(function* () {
    const apps = yield* makeApps
    const uploads = yield* Uploads
    const receive = yield* makeReceive
    const sessions = yield* Sessions
    const records = yield* Files
    const links = yield* FileLinks
    const audited = yield* makeAudited

    /** A chat that nobody has written in yet is whoever's writes in it first. */
    const ownChat = (chatId: string, flowId: string) =>
      Effect.gen(function* () {
        if (chatId === "") return ""
        if (!isChatId(chatId)) return yield* invalid('chat_id: must be 1 to 64 letters, digits or "_.:-"')
        const { userId } = yield* CurrentUser
        const session = yield* sessions.get(chatId)
        if (Option.isNone(session)) return chatId
        if (session.value.user_id !== userId) return yield* notYours("chat")
        return session.value.flow_id === flowId ? chatId : yield* invalid("chat_id: is of another app")
      })

    const uploadedView = (file: StoredFile) =>
      Effect.map(links.sign(file.id), ({ url }) => ({
        file_path: `files/${file.id}`,
        file_id: file.id,
        file_name: file.name,
        bytes: file.bytes,
        file_url: url
      }))

    return handlers
      .handle("upload", ({ path, urlParams, request }) =>
        Effect.gen(function* () {
          const { userId } = yield* CurrentUser
          const flow = yield* apps.toUse(path.flow_id, () => true)
          const named = given(urlParams.chat_id, "")
          // Before the file comes, where that is possible.
          yield* ownChat(named, flow.id)
          const file = yield* receive(request, {
            flowId: flow.id,
            userId,
            chatId: (fields) => ownChat(named === "" ? (fields.get("chat_id") ?? "") : named, flow.id)
          })
          return ok(yield* uploadedView(file))
        })
      )
      .handle("listFiles", ({ urlParams }) =>
        Effect.gen(function* () {
          const { userId } = yield* CurrentUser
          const { rows, total } = yield* records.list({
            userId,
            flowId: given(urlParams.flow_id, ""),
            chatId: given(urlParams.chat_id, ""),
            page: given(urlParams.page, 1),
            limit: given(urlParams.limit, usualPage)
          })
          const data = yield* Effect.forEach(rows, (file) =>
            Effect.map(uploadedView(file), (view) => ({
              ...view,
              flow_id: file.flow_id,
              chat_id: file.chat_id,
              purpose: file.purpose,
              media_type: file.media_type,
              create_time: file.create_time
            }))
          )
          return ok({ data, total })
        })
      )
      .handle("deleteFile", ({ path, request }) =>
        Effect.gen(function* () {
          const { userId, role } = yield* CurrentUser
          const file = yield* records.get(path.file_id)
          // A template goes by its own endpoint, or its app would be left with a version that has no file.
          if (Option.isNone(file) || file.value.purpose === "template") return yield* notFound("file")
          if (file.value.user_id !== userId && role !== "admin") return yield* notYours("file")
          if (!(yield* uploads.remove(path.file_id))) return yield* notFound("file")
          yield* audited(request, "file.delete", path.file_id)
          return done
        })
      )
  })
)
