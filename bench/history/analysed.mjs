/** MariaDB's `ANALYZE FORMAT=JSON` in lines: which table was read by which index, how often, and how many rows each time. */

const operations = ["filesort", "temporary_table", "read_sorted_file", "expression_cache", "materialized"]

/** @param {unknown} plan @returns {Array<string>} */
export const analysed = (plan) => {
  if (typeof plan !== "object" || plan === null) return []
  if (Array.isArray(plan)) return plan.flatMap(analysed)
  const own = "table_name" in plan ? [step(plan)] : []
  // Why there was nothing to do.
  if ("message" in plan) own.push(plan.message)
  const inside = Object.entries(plan).flatMap(([key, value]) => [
    ...(operations.includes(key) ? [key.replaceAll("_", " ")] : []),
    ...analysed(value)
  ])
  return [...own, ...inside]
}

const step = (table) => {
  // A row that is found while the plan is made is not counted.
  const rows =
    table.access_type === "const" ? "a row at most" : `${table.r_loops ?? 0} × ${table.r_rows ?? 0} rows`
  const how = [
    table.access_type,
    ...(table.key === undefined ? [] : [table.key]),
    ...(table.using_index === true ? ["index only"] : []),
    rows
  ]
  return `${table.table_name}: ${how.join(", ")}`
}
