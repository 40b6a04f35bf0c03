/** The thread that fills one template and ends. It starts for each: so it loads little. */
import { parentPort, workerData } from "node:worker_threads"
import type { Filling, Reply } from "./Filling.ts"
import { fill, refusalOf } from "./fill.ts"

/** From {@link fillTemplate} alone. */
const filling: Filling = workerData

const work = async (): Promise<Reply> => {
  try {
    return { _tag: "Filled", ...(await fill(filling)) }
  } catch (error) {
    return { _tag: "Refused", reason: refusalOf(error) }
  }
}

parentPort?.postMessage(await work())
