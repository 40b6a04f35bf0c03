/**
 * `npm test`: installs what is missing, checks, builds, starts the servers that tests need, runs every test, and
 * three minutes of chaos (`npm run chaos`). All steps run even when one fails; the last line says how many tests
 * passed and what failed.
 * `npm test -- test/storage` runs those tests only.
 */
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "./services/daemon.mjs"
import { startServices } from "./services.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const wanted = process.argv.slice(2)

let current = null
let services = null
let interrupted = false

const run = (program, args, env = {}) =>
  new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env }
    })
    current = child
    const end = (ok) => {
      current = null
      resolve(ok)
    }
    child.once("error", (error) => {
      console.error(error.message)
      end(false)
    })
    child.once("exit", (code) => end(code === 0))
  })

/** A program of node_modules, by the path of its script. */
const tool = (script, ...args) =>
  run(process.execPath, [join(root, "node_modules", ...script.split("/")), ...args])

const rows = []

/** Runs one step and notes how it went. A step is a function that answers whether it succeeded. */
const step = async (name, action) => {
  if (interrupted) return false
  console.log(`\n── ${name}`)
  const began = performance.now()
  let ok = false
  try {
    ok = await action()
  } catch (error) {
    console.error(error.message)
  }
  rows.push({ name, ok, seconds: (performance.now() - began) / 1000 })
  return ok
}

const report = (file) => {
  if (!existsSync(file)) return { passed: 0, failed: 0 }
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, "utf8"))
  // A file that does not load, or whose set-up fails, is one failure, though none of its tests is.
  const broken = testResults.filter(
    (result) =>
      result.status === "failed" && result.assertionResults.every(({ status }) => status !== "failed")
  )
  return { passed: numPassedTests, failed: numFailedTests + broken.length }
}

// What runs is ended, what has not begun is left out, and the servers are stopped as always.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (interrupted) process.exit(130)
    interrupted = true
    current?.kill("SIGTERM")
  })
}

const installed = join(root, "node_modules", ".package-lock.json")
if (!existsSync(installed)) {
  const ok = await step("install dependencies", () =>
    run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
  )
  if (interrupted) process.exit(130)
  if (!ok) {
    console.error("npm ci failed, so nothing else can run")
    console.log("\n0 passed, 1 failed")
    process.exit(1)
  }
}

if (wanted.length === 0) {
  await step("lint and format", () => tool("@biomejs/biome/bin/biome", "check", "."))
  await step("rooms", () =>
    tool("dependency-cruiser/bin/dependency-cruise.mjs", "--config", ".dependency-cruiser.cjs", "src")
  )
  await step("types", () => tool("typescript/bin/tsc", "--noEmit"))
  if (existsSync(join(root, "web", "tsconfig.json"))) {
    await step("types of the page", () => tool("typescript/bin/tsc", "--noEmit", "-p", "web"))
  }
  await step("build", () => run(process.execPath, [join(root, "scripts", "build.mjs")]))
}

const folder = temporaryFolder("test")
const results = join(folder.path, "results.json")
const ready = await step("MariaDB and Redis", async () => {
  services = await startServices()
  for (const [name, url] of Object.entries(services.env)) console.log(`${name}=${url}`)
  return true
})
let tested = true
if (ready) {
  tested = await step("tests", () =>
    run(
      process.execPath,
      [
        join(root, "node_modules", "vitest", "vitest.mjs"),
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${results}`,
        ...wanted
      ],
      services.env
    )
  )
}
await services?.stop()
if (wanted.length === 0) {
  // After the tests: it needs the machine for itself.
  await step("chaos", () =>
    run(process.execPath, [
      join(root, "scripts", "chaos.mjs"),
      ...["--main", join(root, "dist", "main.js")],
      ...["--seed", "1", "--minutes", "3", "--sessions", "60"]
    ])
  )
}
if (interrupted) process.exit(130)

const tests = report(results)
folder.remove()
// Something outside of any test may have gone wrong in the test run.
if (!tested && tests.failed === 0) tests.failed = 1
const failed = tests.failed + rows.filter((row) => !row.ok && row.name !== "tests").length

const width = Math.max(...rows.map((row) => row.name.length))
console.log("")
for (const row of rows) {
  console.log(
    `${row.name.padEnd(width)}  ${row.ok ? "ok    " : "FAILED"}  ${row.seconds.toFixed(1).padStart(6)} s`
  )
}
console.log(`${tests.passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
