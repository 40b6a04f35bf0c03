/** The words that the built-in apps' graphs are written in: nodes and edges as Bisheng's editor saves them. */

type Fields = Readonly<Record<string, unknown>>

/** A node of a skill. Fields are given by their values. */
export const node = (id: string, type: string, fields: Fields = {}) => ({
  id,
  type: "genericNode",
  data: {
    id,
    type,
    node: {
      template: {
        _type: type,
        ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { show: true, value }]))
      }
    }
  }
})

/** `"CSVLoader-1 → Milvus-1.documents"`, by ids that begin with their type. */
export const wire = (source: string, target: string, field: string) => ({
  id: `${source}-${target}-${field}`,
  source,
  target,
  sourceHandle: `${source.split("-")[0]}|${source}`,
  targetHandle: `any|${field}|${target}`
})

/** A step of a workflow; `id` begins with its type: `llm_1`. */
export const step = (id: string, name: string, params: Fields, more: Fields = {}) => ({
  id,
  type: "flowNode",
  data: {
    id,
    name,
    type: id.split("_")[0],
    ...more,
    group_params: [{ params: Object.entries(params).map(([key, value]) => ({ key, value })) }]
  }
})

/** `handle`: the choice or condition that leads there; absent: the only way on. */
export const next = (source: string, target: string, handle = "right_handle") => ({
  id: `${source}-${handle}-${target}`,
  source,
  target,
  sourceHandle: handle,
  targetHandle: "left_handle"
})
