/**
 * Registering, signing in, and coming as a guest.
 *
 * Promises: passwords are kept as scrypt hashes alone; a wrong name and a wrong password look the same, also
 * by the time they take; guessing is slowed per name and address; every sign-in leaves an audit row.
 */
import { randomBytes } from "node:crypto"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Settings } from "../config.ts"
import { Audit } from "../storage/Audit.ts"
import type { User, UserRole } from "../storage/rows.ts"
import type { NameTaken, StorageError } from "../storage/StorageError.ts"
import { Users } from "../storage/Users.ts"
import type { Person } from "./Access.ts"
import { makeAttempts } from "./Attempts.ts"
import { makePasswords } from "./passwords.ts"
import { type Identity, Tokens } from "./Tokens.ts"

export class BadCredentials extends Data.TaggedError("BadCredentials") {}

/** GUEST_ACCESS is off. */
export class GuestsOff extends Data.TaggedError("GuestsOff") {}

/** `reason` names the field and what it must be. */
export class RegistrationInvalid extends Data.TaggedError("RegistrationInvalid")<{
  readonly reason: string
}> {}

export class TooManyAttempts extends Data.TaggedError("TooManyAttempts")<{
  readonly retryAfterMs: number
}> {}

export interface SignedIn extends Person {
  readonly token: string
  readonly lifetime: Duration.Duration
}

export interface Credentials {
  readonly userName: string
  readonly password: string
  /** Where it came from, for the audit and for slowing down guesses. */
  readonly ip: string
}

export interface AccountService {
  readonly register: (
    credentials: Credentials
  ) => Effect.Effect<SignedIn, RegistrationInvalid | NameTaken | StorageError>
  readonly login: (
    credentials: Credentials
  ) => Effect.Effect<SignedIn, BadCredentials | TooManyAttempts | StorageError>
  readonly guest: (ip: string) => Effect.Effect<SignedIn, GuestsOff | StorageError>
  /** Who a token speaks of. A platform's own users are not in our table: they are ordinary users. */
  readonly personOf: (identity: Identity) => Effect.Effect<Person, StorageError>
}

const maxNameLength = 64
const maxPasswordLength = 128

const userLifetime = Duration.hours(24)
/** A guest cannot sign in again: when the token ends, so does the account. */
const guestLifetime = Duration.days(30)

export class Accounts extends Context.Tag("colloquy/Accounts")<Accounts, AccountService>() {
  static readonly Live: Layer.Layer<Accounts, never, Users | Audit | Tokens | Settings> = Layer.effect(
    Accounts,
    Effect.suspend(() => makeAccounts)
  )
}

const makeAccounts = Effect.gen(function* () {
  const users = yield* Users
  const audit = yield* Audit
  const tokens = yield* Tokens
  const settings = yield* Settings
  const attempts = yield* makeAttempts
  const passwords = yield* makePasswords

  const signedIn = (user: User, lifetime: Duration.Duration): Effect.Effect<SignedIn> =>
    Effect.map(tokens.mint(user.user_id, user.user_name, lifetime), (token) => ({
      userId: user.user_id,
      userName: user.user_name,
      role: user.role,
      token,
      lifetime
    }))

  const recorded = (user: User, action: string, ip: string) =>
    audit.add({ userId: user.user_id, action, objectId: `${user.user_id}`, ip })

  const register: AccountService["register"] = ({ userName, password, ip }) =>
    Effect.gen(function* () {
      const name = yield* validName(userName)
      yield* validPassword(password)
      const user = yield* users.register(name, yield* passwords.hash(password))
      yield* recorded(user, "user.register", ip)
      return yield* signedIn(user, userLifetime)
    })

  const login: AccountService["login"] = ({ userName, password, ip }) =>
    Effect.gen(function* () {
      const name = userName.trim()
      const key = `${name.slice(0, maxNameLength)}\n${ip}`
      const retryAfterMs = yield* attempts.take(key)
      if (retryAfterMs > 0) return yield* new TooManyAttempts({ retryAfterMs })
      const found = isPossible(name, password) ? yield* users.credentials(name) : Option.none()
      const stored = Option.match(found, { onNone: () => null, onSome: (row) => row.passwordHash })
      const matches = yield* passwords.matches(password.slice(0, maxPasswordLength), stored)
      if (!matches || Option.isNone(found)) return yield* new BadCredentials()
      yield* attempts.clear(key)
      const { user } = found.value
      yield* recorded(user, "user.login", ip)
      return yield* signedIn(user, userLifetime)
    })

  const freshGuest = Effect.suspend(() => users.guest(`guest-${randomBytes(6).toString("hex")}`))

  const guest: AccountService["guest"] = (ip) =>
    Effect.gen(function* () {
      if (!settings.guestAccess) return yield* new GuestsOff()
      const user = yield* freshGuest.pipe(
        Effect.retry({ while: (error) => error._tag === "NameTaken", times: 3 }),
        Effect.catchTag("NameTaken", Effect.die)
      )
      yield* recorded(user, "user.guest", ip)
      return yield* signedIn(user, guestLifetime)
    })

  const personOf: AccountService["personOf"] = ({ userId, userName }) =>
    Effect.map(users.get(userId), (row) => ({
      userId,
      userName,
      role: Option.match(row, { onNone: (): UserRole => "user", onSome: (user) => user.role })
    }))

  return Accounts.of({ register, login, guest, personOf })
})

const validName = (given: string): Effect.Effect<string, RegistrationInvalid> => {
  const name = given.trim()
  if (name.length >= 1 && name.length <= maxNameLength && !/\p{Cc}|\p{Cs}/u.test(name)) {
    return Effect.succeed(name)
  }
  return Effect.fail(
    new RegistrationInvalid({
      reason: `user_name: must be 1 to ${maxNameLength} characters, without control characters`
    })
  )
}

const validPassword = (password: string): Effect.Effect<void, RegistrationInvalid> =>
  password.length >= 1 && password.length <= maxPasswordLength
    ? Effect.void
    : Effect.fail(
        new RegistrationInvalid({ reason: `password: must be 1 to ${maxPasswordLength} characters` })
      )

/** What could never have been registered is not looked up, but takes as long. */
const isPossible = (name: string, password: string): boolean =>
  name.length >= 1 &&
  name.length <= maxNameLength &&
  password.length >= 1 &&
  password.length <= maxPasswordLength
