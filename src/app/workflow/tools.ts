/** The tools that a graph names, among those that this server has. */
import type { Tool } from "../Tool.ts"
import type { Tools } from "../tools/tools.ts"

/** What Bisheng calls tools that go by another name here. */
const otherNames: Readonly<Record<string, string>> = {
  get_current_time: "current_time",
  current_time: "current_time",
  calculator: "calculator"
}

export const findTool = (key: string, tools: Tools): Tool | undefined =>
  tools.get(key) ?? (Object.hasOwn(otherNames, key) ? tools.get(otherNames[key] ?? "") : undefined)

export const noTool = (key: string, label = ""): string =>
  `this server has no tool "${key}"${label === "" || label === key ? "" : ` (${label})`}`
