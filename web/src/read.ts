/** Reading the server's JSON: what is missing or of another type becomes the neutral value. */
export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const text = (fields: Fields, name: string): string => {
  const value = fields[name]
  return typeof value === "string" ? value : ""
}

export const number = (fields: Fields, name: string): number => {
  const value = fields[name]
  return typeof value === "number" ? value : 0
}

export const list = (value: unknown): ReadonlyArray<Fields> =>
  Array.isArray(value) ? value.filter(isFields) : []

export const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string" && each.trim() !== "") : []

/** The server's times are UTC, with or without saying so. */
export const time = (fields: Fields, name: string): Date | null => {
  const words = text(fields, name)
  if (words === "") return null
  const parsed = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(words) ? words : `${words.replace(" ", "T")}Z`)
  return Number.isNaN(parsed.getTime()) ? null : parsed
}
