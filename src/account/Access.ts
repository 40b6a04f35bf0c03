/** Who may do what. An admin may do everything; a built-in app (user id 0) is altered by admins alone. */
import type { Flow, MessageSession, UserRole } from "../storage/rows.ts"

/** Somebody who is signed in. */
export interface Person {
  readonly userId: number
  readonly userName: string
  readonly role: UserRole
}

type Owned = { readonly user_id: number }

const ownsOrAdmin = (person: Person, thing: Owned): boolean =>
  person.role === "admin" || person.userId === thing.user_id

const online = 2

/** An app that is online is for everybody who is signed in. */
export const mayUse = (person: Person, flow: Pick<Flow, "user_id" | "status">): boolean =>
  flow.status === online || ownsOrAdmin(person, flow)

/** Alter, delete, put online; and read its whole graph, which may hold prompts and keys. */
export const mayAlter = (person: Person, flow: Pick<Flow, "user_id">): boolean => ownsOrAdmin(person, flow)

/** Read a chat's history, and delete it. */
export const mayRead = (person: Person, session: Pick<MessageSession, "user_id">): boolean =>
  ownsOrAdmin(person, session)
