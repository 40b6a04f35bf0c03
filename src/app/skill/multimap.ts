/** Adds a value to the list kept under a key. */
export const append = <K, V>(lists: Map<K, Array<V>>, key: K, value: V): void => {
  const known = lists.get(key)
  if (known === undefined) lists.set(key, [value])
  else known.push(value)
}
