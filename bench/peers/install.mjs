/** What the peers need and the product does not: installed when they are measured, and only then. */
import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { findProgram, install } from "../../scripts/services/programs.mjs"
import { Unavailable } from "./Unavailable.mjs"

export const here = dirname(fileURLToPath(import.meta.url))
const lock = join(here, "package-lock.json")
const installed = join(here, "node_modules", ".package-lock.json")

const isCurrent = () => existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs

/** Node packages of the lock file beside this file. @param {(line: string) => void} log */
export const nodePackages = (log) => {
  if (isCurrent()) return
  log("installing the peers' packages (npm ci in bench/peers) …")
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  const done = spawnSync("npm", args, { cwd: here, encoding: "utf8" })
  if (done.error) throw new Unavailable(`npm cannot be run: ${done.error.message}`)
  if (done.status !== 0)
    throw new Unavailable(`npm ci failed in bench/peers: ${done.stderr.trim().slice(-600)}`)
}

const debianPackages = [
  "python3-fastapi",
  "python3-uvicorn",
  "python3-uvloop",
  "python3-websockets",
  "python3-requests",
  "python3-pymysql"
]
const modules = ["fastapi", "uvicorn", "uvloop", "websockets", "requests", "pymysql"]

/** Debian's own comes first: other interpreters do not look where Debian's packages are. */
const pythonWithAll = () =>
  ["/usr/bin/python3", findProgram("python3")]
    .filter((path) => path !== null && existsSync(path))
    .find((path) => spawnSync(path, ["-c", `import ${modules.join(", ")}`]).status === 0)

/** The path of a Python that has what the FastAPI peer imports. */
export const python = () => {
  const found = pythonWithAll()
  if (found) return found
  try {
    install(debianPackages)
  } catch (error) {
    throw new Unavailable(error.message)
  }
  const now = pythonWithAll()
  if (now) return now
  throw new Unavailable(`no Python here can import ${modules.join(", ")}`)
}
