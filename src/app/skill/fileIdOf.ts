/** The id of an uploaded file in what a graph or a form says: the id, or a link that holds it. null: no file. */
export const fileIdOf = (value: unknown): string | null => {
  const text = Array.isArray(value) ? value[0] : value
  if (typeof text !== "string" || text.trim() === "") return null
  return /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/.exec(text)?.[0] ?? text.trim()
}
