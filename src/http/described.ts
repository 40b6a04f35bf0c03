/**
 * Corrects the generated OpenAPI document where it tells of something that this server does not do: the
 * platform lists its own 400 for undecodable requests on every endpoint, and here they are a 422.
 */

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const without = (fields: Fields, ...names: ReadonlyArray<string>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))

const mapFields = (fields: unknown, change: (value: Fields) => Fields): Fields =>
  isFields(fields)
    ? Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, isFields(value) ? change(value) : value])
      )
    : {}

export const described = (spec: Fields): Fields => ({
  ...spec,
  paths: mapFields(spec["paths"], (methods) =>
    mapFields(methods, (operation) => ({
      ...operation,
      responses: isFields(operation["responses"]) ? without(operation["responses"], "400") : {}
    }))
  ),
  components: mapFields(spec["components"], (part) => without(part, "HttpApiDecodeError", "Issue"))
})
