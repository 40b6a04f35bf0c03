/**
 * What every storage promises. `memory.test.ts`, `sqlite.test.ts` and `mysql.test.ts` run it; a new storage
 * is one more file of that kind.
 */
import { describe, layer } from "@effect/vitest"
import type { Layer } from "effect/Layer"
import { acceptingSuite } from "./suite/accepting.ts"
import { contentSuite } from "./suite/content.ts"
import { crowdSuite } from "./suite/crowd.ts"
import { filesSuite } from "./suite/files.ts"
import { flowsSuite } from "./suite/flows.ts"
import { messagesSuite } from "./suite/messages.ts"
import { peopleSuite } from "./suite/people.ts"
import { queueingSuite } from "./suite/queueing.ts"
import { racingSuite } from "./suite/racing.ts"
import { runningSuite } from "./suite/running.ts"
import { sessionsSuite } from "./suite/sessions.ts"
import type { Stores } from "./suite/vocabulary.ts"
import { waitingSuite } from "./suite/waiting.ts"

export const storageSuite = <E>(name: string, stores: Layer<Stores, E>) =>
  describe(name, () => {
    layer(stores)((it) => {
      acceptingSuite(it)
      runningSuite(it)
      queueingSuite(it)
      racingSuite(it)
      crowdSuite(it)
      waitingSuite(it)
      messagesSuite(it)
      contentSuite(it)
      sessionsSuite(it)
      flowsSuite(it)
      filesSuite(it)
      peopleSuite(it, stores)
    })
  })
