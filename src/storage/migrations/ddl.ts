/**
 * Tables written once for every dialect. Each statement may be run again: what exists already is left alone,
 * because MySQL commits every one of them by itself and a migration that broke midway starts over.
 */

export type Dialect = "mysql" | "mariadb" | "sqlite"

/** One column's type in each dialect, without its name. */
export type Column = (dialect: Dialect) => string

/** Statements of one migration. */
export type Statements = (dialect: Dialect) => ReadonlyArray<string>

/** Equal only when every character is: no case folding, no padding with blanks. MySQL and MariaDB name it differently. */
const exactCollation = { mysql: "utf8mb4_0900_bin", mariadb: "utf8mb4_nopad_bin" } as const

const column =
  (mysql: string, sqlite: string): Column =>
  (dialect) =>
    `${dialect === "sqlite" ? sqlite : mysql} NOT NULL`

/** Counts up and never gives a number twice. */
export const serial: Column = (dialect) =>
  dialect === "sqlite" ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"

/** Ids and names that are compared character by character. */
export const exact =
  (length: number): Column =>
  (dialect) =>
    dialect === "sqlite"
      ? "TEXT NOT NULL"
      : `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE ${exactCollation[dialect]} NOT NULL`

/** Words for people, compared as people do. */
export const text = (length: number): Column => column(`VARCHAR(${length})`, "TEXT")

export const longText: Column = column("LONGTEXT", "TEXT")

export const small: Column = column("SMALLINT", "INTEGER")

export const integer: Column = column("BIGINT", "INTEGER")

export const float: Column = column("DOUBLE", "REAL")

/** UTC with milliseconds, `2026-01-31 23:59:59.123`. */
export const time: Column = column("DATETIME(3)", "TEXT")

export const nullable =
  (column: Column): Column =>
  (dialect) =>
    column(dialect).replace(/ NOT NULL$/, " NULL")

export interface Keys {
  /** Absent where a column is `serial`. */
  readonly primary?: ReadonlyArray<string>
  readonly unique?: ReadonlyArray<ReadonlyArray<string>>
  readonly index?: ReadonlyArray<ReadonlyArray<string>>
}

const quoted = (names: ReadonlyArray<string>): string => `(${names.map((name) => `\`${name}\``).join(", ")})`

export const table =
  (name: string, columns: Readonly<Record<string, Column>>, keys: Keys): Statements =>
  (dialect) => {
    const secondary = [
      ...(keys.unique ?? []).map((names) => ({ names, kind: "UNIQUE INDEX" })),
      ...(keys.index ?? []).map((names) => ({ names, kind: "INDEX" }))
    ].map((key) => ({ ...key, name: [name, ...key.names].join("_") }))
    const inside = [
      ...Object.entries(columns).map(([column, type]) => `\`${column}\` ${type(dialect)}`),
      ...(keys.primary === undefined ? [] : [`PRIMARY KEY ${quoted(keys.primary)}`])
    ]
    if (dialect === "sqlite") {
      return [
        `CREATE TABLE IF NOT EXISTS \`${name}\` (${inside.join(", ")})`,
        ...secondary.map(
          (key) => `CREATE ${key.kind} IF NOT EXISTS \`${key.name}\` ON \`${name}\` ${quoted(key.names)}`
        )
      ]
    }
    const all = [...inside, ...secondary.map((key) => `${key.kind} \`${key.name}\` ${quoted(key.names)}`)]
    return [
      `CREATE TABLE IF NOT EXISTS \`${name}\` (${all.join(", ")}) ` +
        "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
    ]
  }

export interface AddedColumn {
  readonly type: Column
  /** What the rows have that are there already; only text. Absent for a column that may be empty. */
  readonly before?: string
}

/**
 * Columns, and keys, for a table that has rows; the migrator passes over those that are there
 * (`isAddedBefore`). SQLite adds them one by one, within the migration's transaction; MySQL all or none.
 */
export const addColumns =
  (
    name: string,
    columns: Readonly<Record<string, AddedColumn>>,
    index: ReadonlyArray<ReadonlyArray<string>>
  ): Statements =>
  (dialect) => {
    const added = Object.entries(columns).map(
      ([column, { type, before }]) =>
        `ADD COLUMN \`${column}\` ${type(dialect)}${before === undefined ? "" : ` DEFAULT '${before}'`}`
    )
    const keys = index.map((names) => ({ key: [name, ...names].join("_"), names }))
    if (dialect === "sqlite") {
      return [
        ...added.map((column) => `ALTER TABLE \`${name}\` ${column}`),
        ...keys.map(
          ({ key, names }) => `CREATE INDEX IF NOT EXISTS \`${key}\` ON \`${name}\` ${quoted(names)}`
        )
      ]
    }
    const all = [...added, ...keys.map(({ key, names }) => `ADD INDEX \`${key}\` ${quoted(names)}`)]
    return [`ALTER TABLE \`${name}\` ${all.join(", ")}`]
  }

/** Keys alone, for a table that has rows. */
export const addIndexes = (name: string, index: ReadonlyArray<ReadonlyArray<string>>): Statements =>
  addColumns(name, {}, index)
