/** What people say of an app's versions: a version without a row here was made by a change of its app. */
import { integer, longText, type Statements, small, table, text, time } from "./ddl.ts"

export const versions: Statements = table(
  "flow_version_label",
  {
    version_id: integer,
    name: text(255),
    description: longText,
    is_delete: small,
    update_time: time
  },
  { primary: ["version_id"] }
)
