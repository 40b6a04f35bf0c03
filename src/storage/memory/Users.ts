import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { User, UserRole } from "../rows.ts"
import { NameTaken } from "../StorageError.ts"
import { Users } from "../Users.ts"
import { at, type MemoryState } from "./state.ts"

export const makeUsers = (state: MemoryState) => {
  const shown = ({ password, ...user }: User & { readonly password: string }): User => user

  const insert = (
    userName: string,
    password: string,
    role: UserRole,
    now: Date
  ): Either.Either<User, NameTaken> => {
    if ([...state.users.values()].some((user) => user.user_name === userName)) {
      return Either.left(new NameTaken({ userName }))
    }
    const user: User = { user_id: state.next("user"), user_name: userName, role, create_time: now }
    state.users.set(user.user_id, { ...user, password })
    return Either.right(user)
  }

  const isFirst = (): boolean => [...state.users.values()].every((user) => user.role === "guest")

  return Users.of({
    register: (userName, passwordHash) =>
      Effect.flatten(at((now) => insert(userName, passwordHash, isFirst() ? "admin" : "user", now))),

    guest: (userName) => Effect.flatten(at((now) => insert(userName, "", "guest", now))),

    get: (userId) => Effect.sync(() => Option.map(Option.fromNullable(state.users.get(userId)), shown)),

    credentials: (userName) =>
      Effect.sync(() =>
        Option.map(
          Option.fromNullable(
            [...state.users.values()].find((user) => user.user_name === userName && user.role !== "guest")
          ),
          (user) => ({ user: shown(user), passwordHash: user.password })
        )
      )
  })
}
