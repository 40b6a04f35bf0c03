/**
 * Microseconds on the machine's monotonic clock. All processes of one machine read the same one, so a stamp
 * made in one process can be subtracted from a stamp made in another.
 */
export const now = () => Number(process.hrtime.bigint()) / 1000

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Resolves when the shared clock reaches `at`. @param {number} at */
export const until = (at) => sleep(Math.max(0, (at - now()) / 1000))
