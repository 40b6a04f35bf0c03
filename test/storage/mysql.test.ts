import { MysqlStorage } from "../support/database.ts"
import { storageSuite } from "./suite.ts"

storageSuite("the MySQL storage", MysqlStorage)
