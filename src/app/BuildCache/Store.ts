/** Where build entries are kept: five steps, each of them whole or not at all. Times in milliseconds. */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { RedisError } from "../../redis/RedisError.ts"

export const buildStatuses = ["started", "in_progress", "success", "failure"] as const

export type BuildStatus = (typeof buildStatuses)[number]

export interface Entry {
  /** JSON text. */
  readonly graph: string
  readonly userId: number
  /** `in_progress` only while a builder's lease runs. */
  readonly status: BuildStatus
  /** Differs for every build; "" before the first. */
  readonly builder: string
}

export type Claimed =
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Busy" }
  | { readonly _tag: "Yours"; readonly graph: string }

export interface BuildStore {
  /** false: somebody is building. */
  readonly init: (
    key: string,
    entry: { readonly graph: string; readonly userId: number },
    ttl: number
  ) => Effect.Effect<boolean, RedisError>
  readonly claim: (
    key: string,
    builder: string,
    lease: number,
    ttl: number
  ) => Effect.Effect<Claimed, RedisError>
  /** false: the lease is another's by now, or the entry is gone. */
  readonly renew: (
    key: string,
    builder: string,
    lease: number,
    ttl: number
  ) => Effect.Effect<boolean, RedisError>
  readonly finish: (
    key: string,
    builder: string,
    status: BuildStatus,
    ttl: number
  ) => Effect.Effect<boolean, RedisError>
  readonly read: (key: string) => Effect.Effect<Option.Option<Entry>, RedisError>
}
