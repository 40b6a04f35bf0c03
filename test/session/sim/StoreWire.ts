/** One process's connections to the log store: one for calls, one for what it listens to. */

import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { RedisError } from "../../../src/redis/RedisError.ts"
import type { Listener } from "../../../src/session/shared/LogStore.ts"
import type { ModelStore } from "./ModelStore.ts"
import type { Carrier } from "./storeService.ts"
import type { Wire } from "./Wire.ts"

interface Listening {
  readonly channel: string
  readonly listener: Listener
  end: (() => void) | null
}

export class StoreWire implements Carrier {
  private readonly store: ModelStore
  private readonly wire: Wire
  private readonly listening = new Set<Listening>()
  private readonly heard: Array<() => void> = []

  constructor(store: ModelStore, wire: Wire) {
    this.store = store
    this.wire = wire
  }

  call<A>(operation: string, carryOut: () => A): Effect.Effect<A, RedisError> {
    return this.wire.call(operation, () => Exit.succeed(carryOut()), broken(operation))
  }

  send<A>(
    operation: string,
    carryOut: () => A,
    answer: (result: Either.Either<A, RedisError>) => void
  ): void {
    const { domain } = this.wire.options
    const fail = broken(operation)
    this.wire.send(
      operation,
      () => Exit.succeed(carryOut()),
      fail,
      (exit) => {
        const result = Exit.isSuccess(exit) ? Either.right(exit.value) : Either.left(fail())
        domain.world.post(() => answer(result), domain)
      }
    )
  }

  listen(channel: string, listener: Listener): () => void {
    const one: Listening = { channel, listener, end: null }
    this.listening.add(one)
    this.subscribe(one)
    return () => {
      this.listening.delete(one)
      one.end?.()
    }
  }

  private subscribe(one: Listening): void {
    this.wire.soon(() => {
      if (this.wire.isCut || one.end !== null || !this.listening.has(one)) return
      this.tell(() => one.listener.began())
      one.end = this.store.subscribe(one.channel, one.listener, (say) => {
        if (!this.wire.options.world.chance(this.wire.weather.unheard)) this.tell(say)
      })
    })
  }

  /** In the order in which things were said. */
  private tell(say: () => void): void {
    this.heard.push(say)
    const { domain } = this.wire.options
    this.wire.soon(() => domain.world.post(() => this.heard.shift()?.(), domain))
  }

  /** The connections break; what was on its way to this process is lost. */
  cut(): void {
    this.wire.setCut(true)
    this.hangUp()
  }

  /** The store sees that nobody listens any more. Calls that were sent are carried out. */
  hangUp(): void {
    this.heard.length = 0
    for (const one of this.listening) {
      one.end?.()
      one.end = null
    }
  }

  restore(): void {
    this.wire.setCut(false)
    for (const one of this.listening) this.subscribe(one)
  }
}

const broken = (operation: string) => () => new RedisError({ operation, cause: "the wire" })
