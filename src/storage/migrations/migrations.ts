/**
 * Every migration, in order. Numbers only go up; a migration that has been released is never changed, the
 * next one mends it.
 */

import { chats } from "./0001-chats.ts"
import { apps } from "./0002-apps.ts"
import { people } from "./0003-people.ts"
import type { Statements } from "./ddl.ts"

export interface Migration {
  readonly id: number
  readonly name: string
  readonly statements: Statements
}

export const migrations: ReadonlyArray<Migration> = [
  { id: 1, name: "chats", statements: chats },
  { id: 2, name: "apps", statements: apps },
  { id: 3, name: "people", statements: people }
]
