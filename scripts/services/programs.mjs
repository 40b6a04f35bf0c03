/** Finding programs, and installing Debian's where this is a fresh Debian machine and we are its root. */
import { spawnSync } from "node:child_process"
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Servers live where an ordinary user's PATH does not look. */
const alsoLookIn = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"]

const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The first of these programs that is here, as a path, or null. */
export const findProgram = (...names) => {
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...alsoLookIn]
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      if (isProgram(path)) return path
    }
  }
  return null
}

const policyFile = "/usr/sbin/policy-rc.d"

/** Without it Debian would start the servers that it installs, as services of the machine. */
const withoutAutostart = (install) => {
  if (existsSync(policyFile)) return install()
  writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 })
  try {
    return install()
  } finally {
    rmSync(policyFile, { force: true })
  }
}

const apt = (...args) => {
  const done = spawnSync("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  })
  if (done.status !== 0) {
    throw new Error(
      `apt-get ${args.join(" ")} failed:\n${done.stdout ?? ""}${done.stderr ?? done.error ?? ""}`
    )
  }
}

/** Installs the packages, or throws one line that says which are needed. */
export const install = (packages) => {
  const list = packages.join(" ")
  const can = process.getuid?.() === 0 && existsSync("/etc/debian_version") && findProgram("apt-get") !== null
  if (!can) throw new Error(`install these programs first (named as Debian's packages): ${list}`)
  console.log(`installing ${list} (apt-get) …`)
  withoutAutostart(() => {
    apt("update")
    apt("install", "-y", "--no-install-recommends", ...packages)
  })
}
