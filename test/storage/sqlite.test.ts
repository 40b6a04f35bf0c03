import { SqliteStorage } from "../support/database.ts"
import { storageSuite } from "./suite.ts"

storageSuite("the SQLite storage", SqliteStorage)
