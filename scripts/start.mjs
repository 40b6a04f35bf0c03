/** `npm start`: installs what is missing, builds what has changed, starts the server. Needs Node ≥ 20 and npm. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { isStale, parts, root } from "./parts.mjs"

const [major] = process.versions.node.split(".").map(Number)
if (major === undefined || major < 20) {
  console.error(`Colloquy needs Node 20 or newer; this is ${process.version}.`)
  process.exit(1)
}

if (!existsSync(join(root, "node_modules", ".package-lock.json"))) {
  console.log("installing dependencies (once) …")
  console.log(
    "  the SQLite driver is downloaded ready-made, or compiled here where it cannot be (about 2 minutes)"
  )
  const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32"
  })
  if (install.status !== 0) {
    console.error("npm ci failed; see above. Then run npm start again.")
    process.exit(install.status ?? 1)
  }
}

if (Object.values(parts).some(isStale)) {
  const build = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { stdio: "inherit" })
  if (build.status !== 0) process.exit(build.status ?? 1)
}

if (!process.env.DATABASE_URL) {
  try {
    createRequire(join(root, "package.json"))("better-sqlite3")
  } catch (error) {
    console.error(`The SQLite driver does not load: ${error.message}`)
    console.error('Run "npm rebuild better-sqlite3", or set DATABASE_URL to a MySQL server.')
    process.exit(1)
  }
}

// In this process, so that a signal to it is a signal to the server.
await import(pathToFileURL(join(root, "dist", "main.js")).href)
