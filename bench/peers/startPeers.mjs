/** Starts the peers that are wanted, and says of each that cannot be had why. */
import { peers } from "./servers.mjs"
import { Unavailable } from "./Unavailable.mjs"

/** @param {ReadonlyArray<string>} wanted @param {import("./servers.mjs").PeerOptions} options */
export const startPeers = async (wanted, options) => {
  const started = []
  /** @type {Map<string, string>} */
  const absent = new Map()
  for (const name of wanted) {
    try {
      started.push(await peers[name](options))
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      options.log(`${name} is left out: ${error.message}`)
      absent.set(name, `not here: ${error.message.split("\n", 1)[0]}`)
    }
  }
  return { started, absent }
}
