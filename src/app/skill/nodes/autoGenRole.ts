/** What all roles of a group chat share: a name, an instruction, and for most a model. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LooseNumber, numberOr } from "../fields.ts"
import { fault, type GraphFault, named } from "../Graph.ts"
import { Optional, type WiredNode, wired } from "../NodeType.ts"
import type { ModelPart } from "../Part.ts"

export const roleFields = {
  name: Optional(Schema.String),
  system_message: Optional(Schema.String),
  /** Older graphs name the model in the role itself. */
  model_name: Optional(Schema.String),
  temperature: Optional(LooseNumber)
}

export interface RoleFields {
  readonly name?: string | null | undefined
  readonly system_message?: string | null | undefined
  readonly model_name?: string | null | undefined
  readonly temperature?: number | string | null | undefined
}

const maxName = 64

/** The others call it by its name, so it needs one. */
export const roleName = (
  fields: RoleFields,
  node: WiredNode,
  fallback = ""
): Effect.Effect<string, GraphFault> => {
  const name = fields.name?.replace(/\s+/g, " ").trim() || fallback
  if (name === "") return Effect.fail(fault(`node ${named(node)} needs a name for the chat`, node))
  return name.length > maxName
    ? Effect.fail(fault(`node ${named(node)}: a name in a chat has at most ${maxName} characters`, node))
    : Effect.succeed(name)
}

/** The model that is connected; else what the role itself says. */
export const roleModel = (fields: RoleFields, node: WiredNode): Effect.Effect<ModelPart, GraphFault> =>
  Effect.map(
    wired(node, "llm", "Model"),
    (model) =>
      model ?? {
        _tag: "Model",
        name: fields.model_name || null,
        temperature: numberOr(fields.temperature, null),
        topP: null,
        streaming: true
      }
  )
