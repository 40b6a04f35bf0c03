/** Thrown inside the worker: why a template cannot be filled, for its user. */
export class Unfillable extends Error {
  override readonly name = "Unfillable"
}
