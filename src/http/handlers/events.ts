import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mayRead } from "../../account/Access.ts"
import { Catalogue } from "../../app/Catalogue.ts"
import type { ResumePoint } from "../../protocol/payloads.ts"
import { Hub } from "../../session/Hub.ts"
import { SessionControl } from "../../session/SessionControl.ts"
import { Sessions } from "../../storage/Sessions.ts"
import { Api } from "../Api.ts"
import { EventFeed, type Line } from "../EventFeed.ts"
import { EventFeeds, reconnect } from "../EventFeeds.ts"
import { businessOf } from "../envelope.ts"
import { given } from "../fields.ts"
import { invalid, notYours, Refused } from "../Refused.ts"
import { CurrentUser } from "../SignedIn.ts"

/** Of a server that is about to end: it is back by then, or another one is there. */
const backIn = 1000

const tooMany = new Refused({
  status: 503,
  text: "too many connections; try again soon",
  retryAfterSeconds: 2
})

const asEvents = { contentType: "text/event-stream", headers: { "x-accel-buffering": "no" } }

interface Where {
  readonly last_seq?: number | "" | undefined
  readonly epoch?: string | undefined
}

/** Where the client left off. A browser that comes back says it in a header, beside the address it first used. */
const resumeFrom = (query: Where, lastEventId: string | undefined): ResumePoint | null => {
  if (lastEventId !== undefined && lastEventId !== "") {
    const [, epoch, lastSeq] = /^([^:]{1,64}):(\d{1,15})$/.exec(lastEventId) ?? []
    return epoch === undefined ? null : { epoch, lastSeq: Number(lastSeq) }
  }
  const lastSeq = given(query.last_seq, null)
  return lastSeq === null || query.epoch === undefined ? null : { epoch: query.epoch, lastSeq }
}

const lineOf = (request: HttpServerRequest): Line => {
  const response = NodeHttpServerRequest.toServerResponse(request)
  return {
    taken: () =>
      response.socket === null ? 0 : response.socket.bytesWritten - response.socket.writableLength,
    cut: () => response.destroy()
  }
}

export const EventsLive = HttpApiBuilder.group(Api, "events", (handlers) =>
  Effect.gen(function* () {
    const hub = yield* Hub
    const control = yield* SessionControl
    const sessions = yield* Sessions
    const catalogue = yield* Catalogue
    const feeds = yield* EventFeeds

    /** Which session it is, and whose. Of a chat that nobody has written in it is the caller's. */
    const find = (chatId: string, asked: string | null) =>
      Effect.gen(function* () {
        const person = yield* CurrentUser
        const row = yield* sessions.get(chatId)
        if (Option.isNone(row)) {
          if (asked === null)
            return yield* invalid("flow_id: is missing; nobody has written in this chat yet")
          return { flowId: asked, userId: person.userId }
        }
        const { flow_id, user_id } = row.value
        if (!mayRead(person, row.value)) return yield* notYours("chat")
        if (asked !== null && asked !== flow_id)
          return yield* invalid("flow_id: this chat is with another app")
        return { flowId: flow_id, userId: user_id }
      })

    const open = (chatId: string, asked: string | null) =>
      Effect.gen(function* () {
        const { flowId, userId } = yield* find(chatId, asked)
        const app = yield* catalogue.open(flowId)
        const session = yield* hub
          .open({ flowId, chatId }, userId)
          .pipe(Effect.catchTag("NotYours", () => Effect.fail(notYours("chat"))))
        // A run may wait since before this server started; who follows its session is to know.
        if (app.resume !== undefined) yield* session.checkStatus
        return session
      })

    // What it holds, it holds until the answer has ended: the request's scope is still open then.
    return handlers.handle("follow", ({ path, urlParams, headers, request }) =>
      Effect.gen(function* () {
        if (!(yield* feeds.admit)) return yield* tooMany
        // A browser reads a refusal as the end; this it takes as a reason to come back.
        if (yield* control.draining) return HttpServerResponse.text(reconnect(backIn), asEvents)
        const resume = resumeFrom(urlParams, headers["last-event-id"])
        const { expiresAt } = yield* CurrentUser
        const session = yield* open(path.chat_id, given(urlParams.flow_id, null))
        yield* Effect.acquireRelease(session.attend(resume), (depart) => depart)
        const feed = yield* Effect.acquireRelease(
          Effect.sync(() => new EventFeed(session.log, lineOf(request), { resume, expiresAt })),
          (made) => Effect.sync(() => made.close())
        )
        yield* feeds.join(feed)
        return HttpServerResponse.raw(feed.body, asEvents)
      }).pipe(
        Effect.catchTags({
          AppDeleted: (error) => Effect.succeed(businessOf(error)),
          AppOffline: (error) => Effect.succeed(businessOf(error)),
          AppNotBuilt: (error) => Effect.succeed(businessOf(error)),
          AppOfOtherKind: (error) => Effect.succeed(businessOf(error))
        })
      )
    )
  })
).pipe(Layer.provide(EventFeeds.Live))
