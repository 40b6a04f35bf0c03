/** What a skill's graph makes of it, told by the types of its nodes alone: how clients are to talk to it. */
import type { FlowType } from "../storage/rows.ts"

export interface Features {
  /** Questions asked one after the other over what is given beforehand: `auto_file`. */
  readonly batch: boolean
  /** A document that is written: `report`. */
  readonly report: boolean
  /** Several speak with each other: `autogen`. */
  readonly group: boolean
}

const none: Features = { batch: false, report: false, group: false }

const givenBeforehand = ["InputFileNode", "InputNode", "VariableNode"]

const skill = 1

/** Apps of other kinds than skills have none of them, and neither has what is no graph. */
export const featuresOf = (flowType: FlowType, data: unknown): Features => {
  if (flowType !== skill) return none
  const types = new Set(nodesIn(data).map(typeOf))
  const report = types.has("Report")
  return {
    report,
    group: types.has("AutoGenChain"),
    batch: !report && givenBeforehand.some((type) => types.has(type))
  }
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nodesIn = (data: unknown): ReadonlyArray<unknown> =>
  isFields(data) && Array.isArray(data["nodes"]) ? data["nodes"] : []

const typeOf = (node: unknown): unknown =>
  isFields(node) && isFields(node["data"]) ? node["data"]["type"] : undefined
