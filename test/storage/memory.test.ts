import { Storage } from "../../src/storage/Storage.ts"
import { storageSuite } from "./suite.ts"

storageSuite("the memory storage", Storage.Memory)
