/** People and guests, and what was done. */
import {
  exact,
  integer,
  longText,
  nullable,
  type Statements,
  serial,
  small,
  table,
  text,
  time
} from "./ddl.ts"

const users = table(
  "user",
  {
    user_id: serial,
    user_name: exact(255),
    /** Opaque; "" for guests. */
    password: longText,
    role: exact(16),
    /** 1 for the admin who registered first, else nothing: unique, so that there is one however many race. */
    first: nullable(small),
    create_time: time
  },
  { unique: [["user_name"], ["first"]] }
)

const audit = table(
  "audit_log",
  {
    id: serial,
    user_id: integer,
    action: text(64),
    object_id: exact(255),
    ip: text(64),
    create_time: time
  },
  { index: [["object_id", "id"]] }
)

export const people: Statements = (dialect) => [users, audit].flatMap((statements) => statements(dialect))
