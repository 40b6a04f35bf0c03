/** Apps, the versions of their graphs, and the files given to them. */
import { exact, integer, longText, type Statements, serial, small, table, text, time } from "./ddl.ts"

const flows = table(
  "flow",
  {
    id: exact(32),
    name: text(255),
    description: longText,
    flow_type: small,
    status: small,
    user_id: integer,
    version_id: integer,
    is_delete: small,
    create_time: time,
    update_time: time
  },
  { primary: ["id"], index: [["user_id"], ["is_delete", "update_time"]] }
)

const versions = table(
  "flow_version",
  { id: serial, flow_id: exact(32), data: longText, user_id: integer, create_time: time },
  { index: [["flow_id", "id"]] }
)

const files = table(
  "file",
  {
    id: exact(32),
    flow_id: exact(32),
    user_id: integer,
    name: text(1024),
    media_type: text(255),
    bytes: integer,
    create_time: time
  },
  { primary: ["id"], index: [["flow_id", "user_id"]] }
)

export const apps: Statements = (dialect) =>
  [flows, versions, files].flatMap((statements) => statements(dialect))
