/**
 * Takes appends to Redis. What all sessions of a node have written by the time that the last answer is back goes as one
 * script: a token costs a share of a round trip, and the more there is to do, the smaller that share becomes. In a
 * Cluster every append goes by itself, because sessions live on different servers.
 *
 * Plain code: with an effect and a command for each append, they took a third of a busy node's time.
 */
import * as Either from "effect/Either"
import type { RedisService } from "../../redis/Redis.ts"
import { RedisError } from "../../redis/RedisError.ts"
import type { Append, AppendAnswer } from "./LogStore.ts"
import { appendScript, shardedAppendScript } from "./redisScripts.ts"

/** Of one script: Redis does nothing else meanwhile. */
const maxAppends = 128
const maxChars = 1024 * 1024

export interface Letter {
  readonly hash: string
  readonly stream: string
  readonly channel: string
  readonly append: Append
  readonly answer: (result: AppendAnswer) => void
}

export class Courier {
  private readonly redis: RedisService
  private waiting: Array<Letter> = []
  private isAway = false
  private isCalled = false

  constructor(redis: RedisService) {
    this.redis = redis
  }

  take(letter: Letter): void {
    if (!this.redis.isWhole) {
      this.carry([letter], () => undefined)
      return
    }
    this.waiting.push(letter)
    if (this.isAway || this.isCalled) return
    this.isCalled = true
    // Whatever else is written in this turn comes along.
    process.nextTick(() => {
      this.isCalled = false
      this.leave()
    })
  }

  private leave(): void {
    const letters = this.load()
    if (letters.length === 0) return
    this.isAway = true
    this.carry(letters, () => {
      this.isAway = false
      this.leave()
    })
  }

  private load(): ReadonlyArray<Letter> {
    let count = 0
    let chars = 0
    for (const { append } of this.waiting) {
      chars += append.batch.length
      if (count > 0 && (count === maxAppends || chars > maxChars)) break
      count += 1
    }
    return this.waiting.splice(0, count)
  }

  private carry(letters: ReadonlyArray<Letter>, back: () => void): void {
    const keys: Array<string> = []
    const args: Array<string | number> = []
    for (const { hash, stream, channel, append } of letters) {
      keys.push(hash, stream)
      const { fence, after, last, batch, running } = append
      args.push(fence, after, last, batch, running ? "1" : "0", channel)
    }
    const script = this.redis.isWhole ? appendScript : shardedAppendScript
    this.redis.sendScript(script, keys, args, (result) => {
      const answers = Either.isRight(result) && Array.isArray(result.right) ? result.right : []
      for (const [i, letter] of letters.entries()) {
        letter.answer(Either.isLeft(result) ? Either.left(result.left) : appended(answers[i]))
      }
      back()
    })
  }
}

const ok: AppendAnswer = Either.right({ _tag: "Ok" })

const appended = (answer: unknown): AppendAnswer => {
  if (answer === "ok") return ok
  if (answer === "fenced") return Either.right({ _tag: "Fenced" })
  if (answer === "gone") return Either.right({ _tag: "Gone" })
  if (typeof answer === "string" && answer.startsWith("at ")) {
    return Either.right({ _tag: "At", seq: Number(answer.slice(3)) })
  }
  const cause = new Error(typeof answer === "string" ? answer : "not an answer to an append")
  return Either.left(new RedisError({ operation: appendScript.name, cause }))
}
