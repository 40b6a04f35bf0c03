import type { FlowType } from "../storage/rows.ts"
import type { AppKind } from "./App.ts"

/** To clients, a remote app is an assistant. */
export const kindOf: Readonly<Record<FlowType, AppKind>> = {
  1: "skill",
  5: "assistant",
  10: "workflow",
  100: "assistant"
}
