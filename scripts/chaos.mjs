/**
 * `npm run chaos`: several servers, many clients, and everything going wrong, from a seed; then a check that
 * nothing was lost, repeated or told in another order. `--help` says what can be chosen.
 */
import { spawn, spawnSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const args = process.argv.slice(2)

if (!args.some((arg) => arg === "--help" || arg.startsWith("--main"))) {
  const build = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { stdio: "inherit" })
  if (build.status !== 0) process.exit(build.status ?? 1)
}

const main = join(root, "test", "chaos", "main.ts")
const child = spawn(process.execPath, ["--import", "tsx", main, ...args], { cwd: root, stdio: "inherit" })
// It ends its servers in order first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
child.once("exit", (code) => process.exit(code ?? 1))
