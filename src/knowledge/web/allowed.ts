/** Which addresses of the web may be read: those the configuration names, and no others. */
import IpAddress from "ipaddr.js"

/**
 * An entry of WEB_HOSTS is a host ("docs.example.org"), a host with its port ("localhost:8080"), or a dot and a
 * domain (".example.org"), which stands for everything below it. Without a port, the scheme's own is meant.
 */
export const entryFor = (url: URL, hosts: ReadonlyArray<string>): string | undefined => {
  const name = url.hostname.toLowerCase().replace(/\.$/, "")
  return hosts.find((given) => {
    const entry = given.toLowerCase()
    if (entry.startsWith(".")) return url.port === "" && name.endsWith(entry) && !isAddress(name)
    return entry === (url.port === "" ? name : `${name}:${url.port}`)
  })
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, "")

export const isAddress = (host: string): boolean => IpAddress.isValid(bare(host))

/**
 * Names are under their owners' control, and may lead into this very network: only public addresses are followed.
 * Whoever writes an address or "localhost" into the configuration means it.
 */
export const mayConnect = (address: string, entry: string): boolean => {
  const host = entry.replace(/:\d+$/, "")
  if (host === "localhost" || isAddress(host)) return true
  return IpAddress.isValid(address) && IpAddress.process(address).range() === "unicast"
}
