/** Asks the person: in the dialogue (a text, and files if they like), or by a form. It asks before it runs. */
import * as Schema from "effect/Schema"
import { fault, named } from "../Graph.ts"
import { JsonValue } from "../json.ts"
import { defineNode, type NodeType, Optional } from "../NodeType.ts"
import { dialogue } from "./input/dialogue.ts"
import { form, Item } from "./input/form.ts"

const Fields = Schema.Struct({
  form_input: Optional(Schema.Array(Item)),
  /** Characters of the files' texts together. */
  dialog_files_content_size: Optional(JsonValue),
  file_parse_mode: Optional(Schema.String)
})

const byTab = defineNode({
  types: ["input"],
  fields: Fields,
  make: (fields, node, bench) =>
    isForm(node.tab)
      ? form(fields.form_input ?? [], node, bench)
      : dialogue(
          { limit: fields.dialog_files_content_size ?? null, mode: fields.file_parse_mode ?? "" },
          node,
          bench
        )
})

export const input: NodeType = {
  types: byTab.types,
  make: (node, bench) =>
    ["dialog_input", "input", "", "form_input", "form"].includes(node.tab)
      ? byTab.make(node, bench)
      : fault(`node ${named(node)} asks in a way that this server does not know: "${node.tab}"`)
}

/** Older graphs say "form". */
const isForm = (tab: string): boolean => tab === "form_input" || tab === "form"
