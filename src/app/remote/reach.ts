/**
 * Which services may be reached: those whose host the operator lists in WEB_HOSTS. An app's owner chooses the
 * address, so names must lead to public addresses, and the connection goes to the very address that was checked.
 */
import { type LookupAddress, lookup as lookUp } from "node:dns"
import type { Agent } from "node:http"
import type { LookupFunction } from "node:net"
import { entryFor, mayConnect } from "../../knowledge/web/allowed.ts"
import { thriftyAgent } from "../../model/OpenAi/connections.ts"

/** Why not, for people; null: it may be reached. */
export const unreachable = (url: URL, hosts: ReadonlyArray<string>): string | null =>
  entryFor(url, hosts) === undefined
    ? `its service at "${url.host}" may not be reached: the operator of this server has to add "${url.host}" to WEB_HOSTS`
    : null

export class PrivateAddress extends Error {}

const leadsInside = "its name leads into a private network"

/** Every address of the name is checked, and no other look-up follows. `entry` is that of WEB_HOSTS. */
export const publicOnly =
  (entry: string): LookupFunction =>
  (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses: ReadonlyArray<LookupAddress>) => {
      if (error !== null) return callback(error, "")
      const [first] = addresses
      if (first === undefined || addresses.some(({ address }) => !mayConnect(address, entry))) {
        return callback(new PrivateAddress(leadsInside), "")
      }
      if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
  }

/** A socket for each request: a kept one would outlive the app it was opened for. */
export const agentFor = (url: URL, hosts: ReadonlyArray<string>): Agent => {
  const options = { keepAlive: false, lookup: publicOnly(entryFor(url, hosts) ?? "") }
  return thriftyAgent(url.protocol === "https:", options)
}
