/**
 * Build entries on Redis: a hash each, with the fields `graph_data`, `status`, `user_id`, `builder` and
 * `lease_until`. Leases are measured by the server's clock, so that no two machines have to agree on theirs.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { RedisService } from "../../redis/Redis.ts"
import { RedisError } from "../../redis/RedisError.ts"
import { script } from "../../redis/Script.ts"
import { type BuildStore, buildStatuses, type Claimed } from "./Store.ts"

const clock = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function building(key)
  return redis.call('HGET', key, 'status') == 'in_progress'
    and tonumber(redis.call('HGET', key, 'lease_until') or '0') > now
end
`

const initScript = script(
  "build.init",
  `-- KEYS: entry. ARGV: graph, user id, ttl in ms. 1: kept, 0: somebody is building.
${clock}
if building(KEYS[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'graph_data', ARGV[1], 'status', 'started', 'user_id', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`
)

const claimScript = script(
  "build.claim",
  `-- KEYS: entry. ARGV: builder, lease in ms, ttl in ms. {'missing'}, {'busy'} or {'yours', graph}.
${clock}
local graph = redis.call('HGET', KEYS[1], 'graph_data')
if not graph then return {'missing'} end
if building(KEYS[1]) then return {'busy'} end
redis.call('HSET', KEYS[1], 'status', 'in_progress', 'builder', ARGV[1], 'lease_until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'yours', graph}`
)

const changeScript = script(
  "build.change",
  `-- KEYS: entry. ARGV: builder, lease in ms, ttl in ms, status. 1: done, 0: it is not this builder's any more.
${clock}
if redis.call('HGET', KEYS[1], 'builder') ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'status') ~= 'in_progress' then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[4], 'lease_until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`
)

const readScript = script(
  "build.read",
  `-- KEYS: entry. {'none'}, or {'entry', graph, status, user id, builder}; status 'started' where a builder's lease is over.
${clock}
local v = redis.call('HMGET', KEYS[1], 'graph_data', 'status', 'user_id', 'builder')
if not v[1] then return {'none'} end
if v[2] == 'in_progress' and not building(KEYS[1]) then v[2] = 'started' end
return {'entry', v[1], v[2] or 'started', v[3] or '0', v[4] or ''}`
)

const YesOrNo = Schema.transformLiterals([0, false], [1, true])
const ClaimAnswer = Schema.Union(
  Schema.Tuple(Schema.Literal("missing")),
  Schema.Tuple(Schema.Literal("busy")),
  Schema.Tuple(Schema.Literal("yours"), Schema.String)
)
const ReadAnswer = Schema.Union(
  Schema.Tuple(Schema.Literal("none")),
  Schema.Tuple(
    Schema.Literal("entry"),
    Schema.String,
    Schema.Literal(...buildStatuses),
    Schema.NumberFromString,
    Schema.String
  )
)

export const redisStore = (redis: RedisService): BuildStore => {
  const asked = <A, I>(operation: string, schema: Schema.Schema<A, I>) => {
    const decode = Schema.decodeUnknown(schema)
    return Effect.flatMap((answer: unknown) =>
      Effect.mapError(decode(answer), (cause) => new RedisError({ operation, cause }))
    )
  }
  const change = (key: string, builder: string, status: string, lease: number, ttl: number) =>
    redis
      .script(changeScript, [redis.key(key)], [builder, lease, ttl, status])
      .pipe(asked(changeScript.name, YesOrNo))

  return {
    init: (key, { graph, userId }, ttl) =>
      redis.script(initScript, [redis.key(key)], [graph, userId, ttl]).pipe(asked(initScript.name, YesOrNo)),
    claim: (key, builder, lease, ttl) =>
      redis.script(claimScript, [redis.key(key)], [builder, lease, ttl]).pipe(
        asked(claimScript.name, ClaimAnswer),
        Effect.map((answer): Claimed => {
          if (answer[0] === "yours") return { _tag: "Yours", graph: answer[1] }
          return { _tag: answer[0] === "busy" ? "Busy" : "Missing" }
        })
      ),
    renew: (key, builder, lease, ttl) => change(key, builder, "in_progress", lease, ttl),
    finish: (key, builder, status, ttl) => change(key, builder, status, 0, ttl),
    read: (key) =>
      redis.script(readScript, [redis.key(key)], []).pipe(
        asked(readScript.name, ReadAnswer),
        Effect.map((answer) => {
          if (answer[0] === "none") return Option.none()
          const [, graph, status, userId, builder] = answer
          return Option.some({ graph, status, userId, builder })
        })
      )
  }
}
