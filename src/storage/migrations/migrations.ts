/**
 * Every migration, in order. Numbers only go up; a migration that has been released is never changed, the
 * next one mends it.
 */

import { chats } from "./0001-chats.ts"
import { apps } from "./0002-apps.ts"
import { people } from "./0003-people.ts"
import { waits } from "./0004-waits.ts"
import { files } from "./0005-files.ts"
import { versions } from "./0006-versions.ts"
import { queue } from "./0007-queue.ts"
import { untold } from "./0008-untold.ts"
import { lists } from "./0009-lists.ts"
import type { Statements } from "./ddl.ts"

export interface Migration {
  readonly id: number
  readonly name: string
  readonly statements: Statements
}

export const migrations: ReadonlyArray<Migration> = [
  { id: 1, name: "chats", statements: chats },
  { id: 2, name: "apps", statements: apps },
  { id: 3, name: "people", statements: people },
  { id: 4, name: "waits", statements: waits },
  { id: 5, name: "files", statements: files },
  { id: 6, name: "versions", statements: versions },
  { id: 7, name: "queue", statements: queue },
  { id: 8, name: "untold", statements: untold },
  { id: 9, name: "lists", statements: lists }
]
