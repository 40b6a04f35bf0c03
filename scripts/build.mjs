/** Builds the server and the SDK into dist/ (tsc) and the page into dist/web (vite). Skips what is up to date. */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")

const newest = (path) => {
  if (!existsSync(path)) return 0
  const info = statSync(path)
  if (!info.isDirectory()) return info.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const run = (program, ...args) => {
  const { status } = spawnSync(
    process.execPath,
    [join(root, "node_modules", ...program.split("/")), ...args],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"]
    }
  )
  if (status !== 0) process.exit(status ?? 1)
}

const shared = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"]

/** Builds a part when something it is made of is newer than its stamp. */
const part = (name, sources, stamp, build) => {
  const made = newest(join(root, stamp))
  if (made >= Math.max(...[...sources, ...shared].map((path) => newest(join(root, path))))) return
  console.log(`building ${name} …`)
  build()
  const at = join(root, stamp)
  if (existsSync(at)) utimesSync(at, new Date(), new Date())
  else writeFileSync(at, "")
}

part("the server", ["src"], "dist/.server", () => {
  for (const name of existsSync(join(root, "dist")) ? readdirSync(join(root, "dist")) : []) {
    if (name !== "web" && name !== ".web") rmSync(join(root, "dist", name), { recursive: true })
  }
  run("typescript/bin/tsc", "-p", "tsconfig.build.json")
})

if (existsSync(join(root, "web", "vite.config.ts"))) {
  part("the page", ["web", "src/client", "src/protocol"], "dist/.web", () => {
    run("vite/bin/vite.js", "build", "--config", "web/vite.config.ts", "--logLevel", "warn")
  })
}
