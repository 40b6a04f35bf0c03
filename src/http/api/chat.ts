import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { Envelope } from "../envelope.ts"
import { ChatId, paging, queryFlowId, queryFlowType, queryListedAt, queryNumber } from "../fields.ts"
import { refusal } from "../Refused.ts"
import { SignedIn } from "../SignedIn.ts"
import { AppSummary, ListedSession, Message, Session } from "../views.ts"

const chatId = HttpApiSchema.param("chat_id", ChatId)

export const chat = HttpApiGroup.make("chat")
  .add(
    HttpApiEndpoint.get("history", "/chat/history")
      .setUrlParams(
        Schema.Struct({
          chat_id: ChatId,
          flow_id: queryFlowId,
          /** Only messages with smaller ids. */
          id: queryNumber(0, Number.MAX_SAFE_INTEGER),
          page_size: queryNumber(1, 100)
        })
      )
      .addSuccess(Envelope(Schema.Array(Message)))
      .addError(refusal(403, "this chat is not yours"))
      .annotate(
        OpenApi.Description,
        "A chat's messages, newest first; `id` asks for those before it. A chat that nobody has written in is empty."
      )
  )
  .add(
    HttpApiEndpoint.get("info", "/chat/info")
      .setUrlParams(Schema.Struct({ chat_id: ChatId }))
      .addSuccess(Envelope(Session))
      .addError(refusal(403, "this chat is not yours"))
      .addError(refusal(404, "there is no such chat"))
      .annotate(OpenApi.Description, "One chat.")
  )
  .add(
    HttpApiEndpoint.get("list", "/chat/list")
      .setUrlParams(
        Schema.Struct({
          ...paging,
          flow_type: queryFlowType,
          flow_id: queryFlowId,
          before: queryListedAt
        })
      )
      .addSuccess(Envelope(Schema.Array(ListedSession)))
      .annotate(
        OpenApi.Description,
        "One's own chats, latest activity first, each with its latest question or answer. `before` goes on after the last chat of a page at the same cost at any depth, and `page` is not looked at then."
      )
  )
  .add(
    HttpApiEndpoint.get("online", "/chat/online")
      .setUrlParams(Schema.Struct({ ...paging, flow_type: queryFlowType }))
      .addSuccess(Envelope(Schema.Array(AppSummary)))
      .annotate(OpenApi.Description, "The apps one can chat with.")
  )
  .add(
    HttpApiEndpoint.del("delete")`/chat/${chatId}`
      .addSuccess(Envelope(Schema.Null))
      .addError(refusal(403, "this chat is not yours"))
      .addError(refusal(404, "there is no such chat"))
      .annotate(OpenApi.Description, "Deletes a chat and ends whatever runs in it.")
  )
  .middleware(SignedIn)
  .annotate(OpenApi.Description, "Chats and their messages; sockets are described in docs/protocol.md")
