/** Tokens signed with `AUTH_SECRET`, or with a secret made once and kept in the data directory. */
import type { FileSystem } from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Settings } from "../config.ts"
import { makeJwt } from "./jwt.ts"
import { authSecret, type SecretUnavailable } from "./secret.ts"
import { Tokens } from "./Tokens.ts"

export const TokensLive: Layer.Layer<Tokens, SecretUnavailable, Settings | FileSystem> = Layer.effect(
  Tokens,
  Effect.map(authSecret, makeJwt)
)
