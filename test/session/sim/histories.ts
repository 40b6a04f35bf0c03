/**
 * Many histories, one after the other. The same seeds every time, unless the environment says otherwise:
 * `SIM_SEED=n` replays one history and prints what happens in it, `SIM_HISTORIES=n` is how many there are in all.
 */
import { setImmediate } from "node:timers/promises"
import { type Simulated, simulate } from "./simulate.ts"

const numberFrom = (name: string): number | null => {
  const text = process.env[name]
  return text === undefined || text === "" ? null : Number(text)
}

/** The history to be replayed; null: all are to be run. */
export const replayed = numberFrom("SIM_SEED")

const inAll = numberFrom("SIM_HISTORIES") ?? 10_000

/** Failures that are told in full; of the others only the seed is. */
const toldInFull = 3

export interface Block {
  readonly from: number
  readonly to: number
}

/** One of so many parts of all seeds, in blocks. */
export const blocks = (part: number, parts: number, size = 500): ReadonlyArray<Block> => {
  const all: Array<Block> = []
  const end = Math.floor((inAll * part) / parts)
  for (let from = Math.floor((inAll * (part - 1)) / parts) + 1; from <= end; from += size) {
    all.push({ from, to: Math.min(from + size - 1, end) })
  }
  return all
}

/** To be awaited after each history: the test runner gives a worker up that it does not hear of for a minute. */
export const breath = async (seed: number): Promise<void> => {
  if (seed % 20 === 0) await setImmediate()
}

/** Runs a block; answers what is wrong, and how to see it again: "" where nothing is. */
export const failuresOf = async ({ from, to }: Block): Promise<string> => {
  const failures: Array<string> = []
  for (let seed = from; seed <= to; seed++) {
    const { violations } = simulated(seed)
    if (violations.length > 0)
      failures.push(failures.length < toldInFull ? told(seed, violations) : `seed ${seed}`)
    await breath(seed)
  }
  return failures.join("\n")
}

/** Whatever is thrown is a violation too. */
const simulated = (seed: number): Pick<Simulated, "violations"> => {
  try {
    return simulate(seed)
  } catch (error) {
    return { violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)] }
  }
}

const told = (seed: number, violations: ReadonlyArray<string>): string =>
  [
    `seed ${seed}: ${violations.length} violations`,
    ...violations.slice(0, 5).map((violation) => `  ${violation}`),
    `  replay: SIM_SEED=${seed} npx vitest run test/session/simulation.test.ts`
  ].join("\n")

/** Runs one history again, and prints what happens in it. */
export const replay = (seed: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const { violations } = simulate(seed, (line) => lines.push(line))
  process.stdout.write(`${[...lines, ...violations].join("\n")}\n`)
  return violations
}
