/** The log store on Redis: one server, Sentinel or a Cluster. What it keeps stands at `redisScripts.ts`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { RedisService } from "../../redis/Redis.ts"
import { RedisError } from "../../redis/RedisError.ts"
import { Courier } from "./Courier.ts"
import { makeChannels } from "./channels.ts"
import type { Claimed, LogStoreService } from "./LogStore.ts"
import { beatScript, claimScript, readScript, releaseScript, wantScript } from "./redisScripts.ts"

const Whole = Schema.NumberFromString
const ClaimAnswer = Schema.Union(
  Schema.Tuple(Schema.Literal("held"), Schema.String),
  Schema.Tuple(Schema.Literal("yours"), Schema.String, Schema.String, Whole)
)
const ReadAnswer = Schema.Union(
  Schema.Tuple(),
  Schema.Tuple(Schema.String, Whole, Schema.String, Schema.Array(Schema.String))
)
const Names = Schema.Array(Schema.String)
const BeatAnswer = Schema.Tuple(Schema.Literal(0, 1), Schema.Number, Names, Names)
const Glanced = Schema.Tuple(Schema.NullOr(Schema.String), Schema.NullOr(Whole), Schema.NullOr(Schema.String))

/** Before what is said on a session's channel and is no batch. */
const note = "note:"

const answered =
  <A, I>(operation: string, schema: Schema.Schema<A, I>) =>
  (reply: Effect.Effect<unknown, RedisError>): Effect.Effect<A, RedisError> =>
    Effect.flatMap(reply, (value) =>
      Effect.mapError(Schema.decodeUnknown(schema)(value), (cause) => new RedisError({ operation, cause }))
    )

export const makeRedisLogStore = (redis: RedisService): Effect.Effect<LogStoreService, never, Scope.Scope> =>
  Effect.gen(function* () {
    const hash = (key: string) => redis.key(`session:{${key}}`)
    const stream = (key: string) => redis.key(`session:{${key}}:log`)
    const live = (key: string) => redis.key(`session:{${key}}:live`)
    const nodes = redis.key("nodes")
    const inbox = (node: string) => redis.key(`node:${node}`)
    const both = (key: string) => [hash(key), stream(key)]
    const channels = yield* makeChannels(redis)
    const courier = new Courier(redis)

    return {
      claim: (key, { self, dead, epoch, seq, known, continues }) =>
        redis
          .script(claimScript, both(key), [
            self,
            dead ?? "",
            epoch,
            seq,
            known.epoch,
            known.seq,
            continues ? 1 : 0
          ])
          .pipe(
            answered(claimScript.name, ClaimAnswer),
            Effect.map(
              (answer): Claimed =>
                answer[0] === "held"
                  ? { _tag: "Held", owner: answer[1] }
                  : { _tag: "Yours", fence: answer[1], epoch: answer[2], seq: answer[3] }
            )
          ),
      want: (key) => Effect.asVoid(redis.script(wantScript, [hash(key)], [])),
      append: (key, append, answer) =>
        courier.take({ hash: hash(key), stream: stream(key), channel: live(key), append, answer }),
      release: (key, fence) =>
        redis.script(releaseScript, both(key), [fence]).pipe(
          answered(releaseScript.name, Schema.Literal(0, 1)),
          Effect.map((wanted) => wanted === 1)
        ),
      read: (key, after) =>
        redis.script(readScript, both(key), [after]).pipe(
          answered(readScript.name, ReadAnswer),
          Effect.map((answer) => {
            if (answer.length === 0) return Option.none()
            const [epoch, seq, owner, batches] = answer
            return Option.some({ epoch, seq, owner, batches })
          })
        ),
      glance: (keys) =>
        redis
          .run("look at sessions", (client) =>
            Promise.all(keys.map((key) => client.hmget(hash(key), "epoch", "seq", "owner")))
          )
          .pipe(
            answered("look at sessions", Schema.Array(Glanced)),
            Effect.map((all) =>
              all.map(([epoch, seq, owner]) =>
                epoch === null || seq === null ? null : { epoch, seq, owner: owner ?? "" }
              )
            )
          ),
      beat: (self, { silentFor, all }) =>
        redis.script(beatScript, [nodes], [self, silentFor, all ? 1 : 0]).pipe(
          answered(beatScript.name, BeatAnswer),
          Effect.map(([known, count, silent, names]) => ({
            wasKnown: known === 1,
            count,
            silent,
            all: all ? names : null
          }))
        ),
      leave: (self) => Effect.asVoid(redis.run("leave", (client) => client.zrem(nodes, self))),
      follow: (key, { heard, noted, began }) =>
        channels.listen(live(key), {
          began,
          heard: (text) => {
            if (text.startsWith(note)) noted?.(text.slice(note.length))
            else heard(text)
          }
        }),
      note: (key, text) => channels.say("note", live(key), note + text),
      followers: (key) =>
        channels.listeners(live(key), hash(key)).pipe(
          answered("count followers", Schema.Tuple(Schema.String, Schema.Number)),
          Effect.map(([, count]) => count)
        ),
      attend: (self, listener) => channels.listen(inbox(self), listener),
      tell: (node, text) => channels.say("tell a node", inbox(node), text)
    }
  })
