/**
 * The steps of the log store, as Redis takes them. All keys of a session share its hash tag. The hash of a
 * session holds `owner`, `fence`, `epoch`, `seq`, `server`, the Redis process that it was claimed on, and `wanted` where
 * somebody else wants it; its stream holds the batches, each under the number of its last frame.
 */
import { script } from "../../redis/Script.ts"

/** Milliseconds: the last number of a session outlives its frames, so that who missed nothing is told so. */
const keepSession = 24 * 60 * 60 * 1000
const keepRunning = 60 * 60 * 1000
const keepIdle = 5 * 60 * 1000

/** Characters of ended runs that may be kept. */
const maxChars = 1024 * 1024

/**
 * KEYS the session's hash, its stream. ARGV self, the dead node or "", epoch and seq to begin with, epoch and
 * seq that the claimer knows, "1" where it goes on with what is lost here: `server` is "" then. Answers {"held", owner}
 * or {"yours", fence, epoch, seq}.
 */
export const claimScript = script(
  "claim a session",
  `local owner, fence, epoch, seq, server = unpack(redis.call('HMGET', KEYS[1], 'owner', 'fence', 'epoch', 'seq', 'server'))
local self = ARGV[1]
if owner and owner ~= '' and owner ~= self and owner ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'wanted', '1')
  return {'held', owner}
end
local here = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local lost = epoch == ARGV[5] and tonumber(seq) < tonumber(ARGV[6])
local continues = ARGV[7] == '1' and (not owner or owner == self)
local settled = (continues and server ~= here) and '' or here
if not epoch or lost or (server ~= here and not continues) then
  epoch = ARGV[3]
  seq = ARGV[4]
  redis.call('DEL', KEYS[2])
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local next = math.max(now, (tonumber(fence or '0') or 0) + 1)
fence = string.format('%.0f', next)
redis.call('HSET', KEYS[1], 'owner', self, 'fence', fence, 'epoch', epoch, 'seq', seq, 'server', settled)
redis.call('PEXPIRE', KEYS[1], ${keepSession})
return {'yours', fence, epoch, tostring(seq)}`
)

/** KEYS the hash. Leaves a mark for the holder, if there is one. */
export const wantScript = script(
  "want a session",
  `local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= '' then redis.call('HSET', KEYS[1], 'wanted', '1') end
return 1`
)

/**
 * Appends to several sessions, each for itself. For each, KEYS the hash, the stream and ARGV fence, number before the
 * batch, its last number, the batch, "1" where a run is in progress, the channel. Answers for each "ok", "at <seq>",
 * "fenced", "gone", or "failed <why>".
 */
const appendWith = (publish: "PUBLISH" | "SPUBLISH") =>
  script(
    "append to sessions",
    `local function append(hash, stream, fence, after, last, batch, running, channel)
  local known, seq = unpack(redis.call('HMGET', hash, 'fence', 'seq'))
  if not known then return 'gone' end
  if known ~= fence then return 'fenced' end
  if seq ~= after then return 'at ' .. seq end
  redis.call('XADD', stream, last .. '-*', 'b', batch)
  redis.call('HSET', hash, 'seq', last)
  redis.call('PEXPIRE', stream, running == '1' and ${keepRunning} or ${keepIdle})
  redis.call('${publish}', channel, batch)
  return 'ok'
end
local answers = {}
for i = 1, #KEYS / 2 do
  local a = i * 6 - 5
  local done, answer = pcall(append, KEYS[i * 2 - 1], KEYS[i * 2], unpack(ARGV, a, a + 5))
  if not done then answer = 'failed ' .. (type(answer) == 'table' and answer.err or tostring(answer)) end
  answers[i] = answer
end
return answers`
  )

export const appendScript = appendWith("PUBLISH")
/** In a Cluster, where the channel has the session's slot as its keys have. */
export const shardedAppendScript = appendWith("SPUBLISH")

/**
 * KEYS the hash, the stream. ARGV fence. Old runs are dropped where there is too much of them. Answers 0 where nobody has
 * wanted the session meanwhile, as far as can be known: the second time nobody knows, and the first answer may have been lost.
 */
export const releaseScript = script(
  "release a session",
  `local fence, owner, wanted = unpack(redis.call('HMGET', KEYS[1], 'fence', 'owner', 'wanted'))
if fence ~= ARGV[1] or owner == '' then return 1 end
redis.call('HSET', KEYS[1], 'owner', '')
redis.call('HDEL', KEYS[1], 'wanted')
redis.call('PEXPIRE', KEYS[1], ${keepSession})
if redis.call('EXISTS', KEYS[2]) == 1 and redis.call('MEMORY', 'USAGE', KEYS[2]) > ${maxChars} then
  redis.call('XTRIM', KEYS[2], 'MAXLEN', 1000)
  if redis.call('MEMORY', 'USAGE', KEYS[2]) > 4 * ${maxChars} then redis.call('DEL', KEYS[2]) end
end
return wanted and 1 or 0`
)

/** KEYS the hash, the stream. ARGV the number after which to read. Answers {} or {epoch, seq, owner, batches}. */
export const readScript = script(
  "read a session",
  `local epoch, seq, owner = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'owner'))
if not epoch then return {} end
local batches = {}
for i, entry in ipairs(redis.call('XRANGE', KEYS[2], ARGV[1] .. '-0', '+')) do batches[i] = entry[2][2] end
return {epoch, seq, owner or '', batches}`
)

/** KEYS any with the slot of the channel. ARGV the channel. Answers how many connections listen to it, in a Cluster. */
export const listenersScript = script(
  "count listeners",
  `return redis.call('PUBSUB', 'SHARDNUMSUB', ARGV[1])`
)

/**
 * KEYS the nodes. ARGV self, milliseconds of silence, "1" where all are asked for. Answers 1 where this one was known, how many
 * there are, names of the silent ones, names of all or {}. Nodes that have been silent for an hour are forgotten. A beat
 * that is yet to come was told to a server whose clock was ahead: who lives says so again.
 */
export const beatScript = script(
  "beat",
  `local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0
redis.call('ZADD', KEYS[1], now, ARGV[1])
local silent = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do silent[#silent + 1] = name end
local all = ARGV[3] == '1' and redis.call('ZRANGE', KEYS[1], 0, -1) or {}
return {known, redis.call('ZCARD', KEYS[1]), silent, all}`
)
