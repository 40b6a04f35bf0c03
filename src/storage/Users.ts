/** People and guests. The first registered one is the admin, however many register at once. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { User } from "./rows.ts"
import type { NameTaken, StorageError } from "./StorageError.ts"

export interface UserStore {
  /** `passwordHash` is opaque here. */
  readonly register: (userName: string, passwordHash: string) => Effect.Effect<User, NameTaken | StorageError>
  readonly guest: (userName: string) => Effect.Effect<User, NameTaken | StorageError>
  readonly get: (userId: number) => Effect.Effect<Option.Option<User>, StorageError>
  /** For signing in; guests have no password and are not found. Names are compared exactly. */
  readonly credentials: (
    userName: string
  ) => Effect.Effect<Option.Option<{ readonly user: User; readonly passwordHash: string }>, StorageError>
}

export class Users extends Context.Tag("colloquy/storage/Users")<Users, UserStore>() {}
