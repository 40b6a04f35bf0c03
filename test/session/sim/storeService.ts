/** The model store as the program sees it, over whatever carries its calls and messages. */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { RedisError } from "../../../src/redis/RedisError.ts"
import type { Listener, LogStoreService } from "../../../src/session/shared/LogStore.ts"
import { inbox, liveChannel, type ModelStore } from "./ModelStore.ts"

/** Carries one node's calls to the store, and what it listens to back. */
export interface Carrier {
  readonly call: <A>(operation: string, carryOut: () => A) => Effect.Effect<A, RedisError>
  readonly send: <A>(
    operation: string,
    carryOut: () => A,
    answer: (result: Either.Either<A, RedisError>) => void
  ) => void
  /** Listens from some moment on, until called off. */
  readonly listen: (channel: string, listener: Listener) => () => void
}

export const storeService = (store: ModelStore, carrier: Carrier): LogStoreService => {
  const listening = (channel: string, listener: Listener): Effect.Effect<void, never, Scope.Scope> =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => carrier.listen(channel, listener)),
        (end) => Effect.sync(end)
      )
    )
  const call: Carrier["call"] = (operation, carryOut) => carrier.call(operation, carryOut)
  return {
    claim: (key, claim) => call("claim", () => store.claim(key, claim)),
    want: (key) => call("want", () => store.want(key)),
    append: (key, append, answer) => carrier.send("append", () => store.append(key, append), answer),
    release: (key, fence) => call("release", () => store.release(key, fence)),
    read: (key, after) => call("read", () => store.read(key, after)),
    glance: (keys) => call("glance", () => store.glance(keys)),
    beat: (self, asked) => call("beat", () => store.beat(self, asked)),
    leave: (self) => call("leave", () => store.leave(self)),
    note: (key, text) => call("note", () => store.note(key, text)),
    follow: (key, listener) => listening(liveChannel(key), listener),
    followers: (key) => call("followers", () => store.followers(key)),
    attend: (self, listener) => listening(inbox(self), listener),
    tell: (node, text) => call("tell", () => store.publish(inbox(node), text))
  }
}
