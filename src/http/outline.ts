/**
 * Of a graph, what people see who may use an app but not alter it: the kinds of its nodes, how they hang
 * together, and what its form asks for. Prompts, keys and everything else that nodes hold stay out.
 */

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

/** By the type of a node, its one field that clients build the form of. */
const shownField: ReadonlyMap<unknown, string> = new Map([
  ["InputFileNode", "file_type"],
  ["InputNode", "input"],
  ["VariableNode", "variables"]
])

/** null: this is no graph. */
export const outlineOf = (data: unknown): unknown => {
  if (!isFields(data) || !Array.isArray(data["nodes"]) || !Array.isArray(data["edges"])) return null
  return {
    nodes: data["nodes"].filter(isFields).map((node) => {
      const inner = fieldsOf(node["data"])
      return {
        id: node["id"],
        type: node["type"],
        data: { id: inner["id"], type: inner["type"], ...formOf(inner) }
      }
    }),
    edges: data["edges"].filter(isFields).map(({ id, source, target, sourceHandle, targetHandle }) => ({
      id,
      source,
      target,
      sourceHandle,
      targetHandle
    }))
  }
}

/** Where clients look for it in whole graphs: `node.template.<field>.value`. */
const formOf = (inner: Fields): object => {
  const name = shownField.get(inner["type"])
  if (name === undefined) return {}
  const { value } = fieldsOf(fieldsOf(fieldsOf(inner["node"])["template"])[name])
  const shown = wordsIn(value)
  return shown === null ? {} : { node: { template: { [name]: { value: shown } } } }
}

/** Text or texts; whatever else somebody put there is not for the form. */
const wordsIn = (value: unknown): string | ReadonlyArray<string> | null => {
  if (typeof value === "string") return value
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : null
}
