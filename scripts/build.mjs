/**
 * Builds into dist/ the server (one file and what it loads later, by esbuild), the SDK (tsc), and the page (vite).
 * Skips what is up to date.
 *
 * The server is bundled because a file for each module costs half of the time to start and a third of the memory
 * at rest: Effect's modules carry their documentation into memory.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { buildSync } from "esbuild"
import { isStale, parts, root } from "./parts.mjs"

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

/** Builds a part where it is not up to date. */
const part = (one, build) => {
  if (!isStale(one)) return
  console.log(`building ${one.name} …`)
  build()
  const at = join(root, one.stamp)
  if (existsSync(at)) utimesSync(at, new Date(), new Date())
  else writeFileSync(at, "")
}

/** The program, and the threads that it starts (`src/knowledge/thread.ts`). Each becomes a file right in dist/. */
const programs = ["main.ts", "knowledge/parse/worker.ts", "app/report/fillWorker.ts"]

/** Libraries left as they lie in node_modules, because they are native, CommonJS, or read files of their own. */
const asTheyLie = () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const others = Object.keys(dependencies).filter((name) => !/^(effect$|@effect\/)/.test(name))
  return [...others, "better-sqlite3"]
}

/** Takes away what an earlier build left. */
const clear = (kept) => {
  if (!existsSync(join(root, "dist"))) return
  for (const name of readdirSync(join(root, "dist"))) {
    if (!kept(name)) rmSync(join(root, "dist", name), { recursive: true })
  }
}

part(parts.server, () => {
  clear((name) => ["web", ".web", "client", "protocol", ".sdk"].includes(name))
  buildSync({
    absWorkingDir: root,
    entryPoints: programs.map((program) => join("src", program)),
    outdir: "dist",
    entryNames: "[name]",
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    charset: "ascii",
    legalComments: "none",
    sourcemap: true,
    sourcesContent: false,
    external: asTheyLie(),
    logLevel: "warning"
  })
})

part(parts.sdk, () => {
  for (const room of ["client", "protocol"]) {
    rmSync(join(root, "dist", room), { recursive: true, force: true })
  }
  run("typescript/bin/tsc", "-p", "tsconfig.build.json")
})

part(parts.page, () => {
  run("vite/bin/vite.js", "build", "--config", "web/vite.config.ts", "--logLevel", "warn")
})
