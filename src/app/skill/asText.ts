/** How a value from a graph or a client stands in a prompt: text as it is, nothing as "", the rest as JSON. */
export const asText = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value === undefined || value === null) return ""
  return JSON.stringify(value) ?? ""
}
