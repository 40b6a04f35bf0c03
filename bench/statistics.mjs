/** Nearest-rank percentile. @param {ReadonlyArray<number>} samples @param {number} p from 0 to 1 */
export const percentile = (samples, p) => {
  if (samples.length === 0) return Number.NaN
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN
}

/** @param {ReadonlyArray<number>} samples */
export const median = (samples) => {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** @param {ReadonlyArray<number>} values */
export const sum = (values) => values.reduce((total, value) => total + value, 0)
