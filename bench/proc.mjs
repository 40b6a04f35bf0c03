/** What the kernel says about a process: its own accounting, not ours. */
import { readdirSync, readFileSync } from "node:fs"

/**
 * CPU time of all threads of a process so far, in microseconds. From `schedstat`, which counts nanoseconds;
 * where the kernel has none, from `stat` (user and system time in ticks of 10 ms).
 * @param {number} pid
 */
export const cpuMicros = (pid) => {
  try {
    let nanos = 0
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ", 1)[0])
    }
    if (nanos > 0) return nanos / 1000
  } catch {
    // no schedstat in this kernel, or a thread has just ended
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** A process and all that descend from it, as long as their parents live. @param {number} root */
export const processTree = (root) => {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8")
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])]]
      } catch {
        // has just ended
        return []
      }
    })
  const found = [root]
  // Grows while it is walked.
  for (const parent of found) {
    for (const [pid, itsParent] of parents) if (itsParent === parent) found.push(pid)
  }
  return found
}

/** Resident memory in bytes. @param {number} pid */
export const residentBytes = (pid) => {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return Number(line?.[1] ?? Number.NaN) * 1024
}

/** Busy time of the whole machine so far, in microseconds summed over its cores. */
export const machineBusyMicros = () => {
  const [user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) * 10_000
}
