/**
 * The servers that tests need: those that TEST_MYSQL_URL and TEST_REDIS_URL name, or private ones, started
 * from the programs on this machine (Debian's are installed where we may) and removed at the end.
 *
 * `node scripts/services.mjs` keeps them running until Ctrl-C, for running single tests by hand.
 */
import { pathToFileURL } from "node:url"
import * as mariadb from "./services/mariadb.mjs"
import { findProgram, install } from "./services/programs.mjs"
import * as redis from "./services/redis.mjs"

const kinds = [
  { variable: "TEST_MYSQL_URL", server: mariadb },
  { variable: "TEST_REDIS_URL", server: redis }
]

const browsers = ["chromium", "chromium-headless-shell"]

const missingPackages = () => [
  ...kinds
    .filter(({ variable, server }) => !process.env[variable] && !server.isHere())
    .map(({ server }) => server.debianPackage),
  ...(findProgram(...browsers) === null ? ["chromium"] : [])
]

/** Answers the environment for tests, and `stop`. Should this process end before, they end with it. */
export const startServices = async () => {
  const missing = missingPackages()
  if (missing.length > 0) install(missing)
  const env = {}
  const started = []
  const stop = async () => {
    await Promise.all(started.splice(0).map((daemon) => daemon.stop()))
  }
  try {
    for (const { variable, server } of kinds) {
      if (process.env[variable]) {
        env[variable] = process.env[variable]
        continue
      }
      const daemon = await server.start()
      started.push(daemon)
      env[variable] = daemon.url
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { env, stop }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const services = await startServices()
    for (const [name, url] of Object.entries(services.env)) console.log(`export ${name}=${url}`)
    const end = async () => {
      await services.stop()
      process.exit(0)
    }
    process.on("SIGINT", end)
    process.on("SIGTERM", end)
    setInterval(() => undefined, 1 << 30)
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
