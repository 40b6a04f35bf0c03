/** The nearest of some vectors, by comparing with each: 5,000 of 1,024 numbers take some 20 ms. */

export interface Near<P> {
  readonly passage: P
  /** The cosine between the two, at most 1. */
  readonly likeness: number
}

export interface VectorIndex<P> {
  /** Best first. */
  readonly nearest: (question: Float32Array, limit: number) => ReadonlyArray<Near<P>>
}

/** What is no nearer than this has nothing to do with the question, whatever the model. */
const leastLikeness = 0.2

/** `vectors` are as many as `passages`. */
export const vectorIndex = <P>(
  passages: ReadonlyArray<P>,
  vectors: ReadonlyArray<Float32Array>
): VectorIndex<P> => {
  const units = vectors.map(unit)
  return {
    nearest: (question, limit) => {
      const wanted = unit(question)
      return passages
        .flatMap((passage, at) => {
          const likeness = product(wanted, units[at])
          return likeness > leastLikeness ? [{ passage, likeness }] : []
        })
        .sort((left, right) => right.likeness - left.likeness)
        .slice(0, limit)
    }
  }
}

const unit = (vector: Float32Array): Float32Array => {
  const length = Math.sqrt(product(vector, vector))
  return length > 0 ? vector.map((value) => value / length) : vector
}

const product = (left: Float32Array, right: Float32Array | undefined): number => {
  if (right === undefined || right.length !== left.length) return 0
  let sum = 0
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0)
  return sum
}
