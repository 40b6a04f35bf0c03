/** A random id. `crypto.randomUUID` is missing on pages that are not served securely; random bytes are not. */
export const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    ""
  )
