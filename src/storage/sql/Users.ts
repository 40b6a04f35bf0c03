import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { User, UserRole } from "../rows.ts"
import { NameTaken } from "../StorageError.ts"
import { Users } from "../Users.ts"
import { CountRow, CredentialsRow, UserRow } from "./columns.ts"
import { type Database, decodeFirst, during, isDuplicate, now } from "./Database.ts"

const user = decodeFirst(UserRow)
const credentials = decodeFirst(CredentialsRow)
const count = decodeFirst(CountRow)

export const makeUsers = ({ sql, alone, write }: Database) => {
  const counted = (where: Parameters<typeof count>[0]) =>
    Effect.map(count(where), (row) => Option.isSome(row) && row.value.n > 0)

  const insert = (userName: string, password: string, role: UserRole) =>
    Effect.gen(function* () {
      const { date, text: time } = yield* now
      const { id } = yield* alone(
        write(
          sql`INSERT INTO user ${sql.insert({
            user_name: userName,
            password,
            role,
            first: role === "admin" ? 1 : null,
            create_time: time
          })}`
        )
      )
      return { user_id: id, user_name: userName, role, create_time: date } satisfies User
    })

  const taken = (userName: string) =>
    counted(sql`SELECT COUNT(*) AS n FROM user WHERE user_name = ${userName}`)

  const register = (userName: string, password: string) =>
    Effect.gen(function* () {
      const later = yield* counted(sql`SELECT COUNT(*) AS n FROM user WHERE role <> 'guest'`)
      return yield* insert(userName, password, later ? "user" : "admin")
    })

  const refused = (userName: string) => Effect.fail(new NameTaken({ userName }))

  return Users.of({
    register: (userName, passwordHash) =>
      Effect.gen(function* () {
        const first = yield* register(userName, passwordHash).pipe(
          Effect.asSome,
          Effect.catchIf(isDuplicate, () => Effect.succeedNone)
        )
        if (Option.isSome(first)) return first.value
        if (yield* taken(userName)) return yield* refused(userName)
        // Somebody else became the first meanwhile.
        return yield* insert(userName, passwordHash, "user").pipe(
          Effect.catchIf(isDuplicate, () => refused(userName))
        )
      }).pipe(during("users.register")),

    guest: (userName) =>
      insert(userName, "", "guest").pipe(
        Effect.catchIf(isDuplicate, () => refused(userName)),
        during("users.guest")
      ),

    get: (userId) => user(sql`SELECT * FROM user WHERE user_id = ${userId}`).pipe(during("users.get")),

    credentials: (userName) =>
      credentials(sql`SELECT * FROM user WHERE user_name = ${userName} AND role <> 'guest'`).pipe(
        Effect.map(Option.map(({ password, ...user }) => ({ user, passwordHash: password }))),
        during("users.credentials")
      )
  })
}
