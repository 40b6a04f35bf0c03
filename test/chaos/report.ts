/** What came of a chaos run, for people. */
import type { Outcome } from "./crowd.ts"
import type { Fault } from "./nemesis.ts"
import type { Seen, Violation } from "./record.ts"

export interface Report {
  readonly seed: number
  /** Of all sessions, and of the nodes themselves. */
  readonly violations: ReadonlyArray<Violation>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly faults: ReadonlyArray<Fault>
  readonly startedAt: number
  readonly seconds: number
  readonly peakMemory: ReadonlyArray<{ readonly id: string; readonly bytes: number }>
  /** How busy the process with the clients was. */
  readonly generator: { readonly cpuShare: number; readonly lagMs: number }
}

const shownViolations = 10
const shownEvents = 24

const counted = (names: Iterable<string>): string => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  const parts = [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name} ${count}`)
  return parts.length === 0 ? "none" : parts.join(", ")
}

const spread = (values: ReadonlyArray<number>): string => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  const text = [at(0.5), at(0.95), at(1)].map((ms) => `${(ms / 1000).toFixed(2)} s`).join(" / ")
  return sorted.length === 0 ? "none" : `${text} (${sorted.length})`
}

/** How long each lost run was silent before its clients were told that it is lost. */
const silences = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (const { views } of outcomes.map(({ record }) => record)) {
    for (const { seen } of views) {
      const lastOf = new Map<string, number>()
      for (const each of seen) {
        if (each.kind !== "frame" || each.seq === null || each.runId === null) continue
        const before = lastOf.get(each.runId)
        if (each.status === 13015 && before !== undefined) found.push(each.at - before)
        if (each.type === "stream") lastOf.set(each.runId, each.at)
      }
    }
  }
  return found
}

export const table = (report: Report): string => {
  const { outcomes, faults, violations, generator, peakMemory } = report
  const notes = outcomes.flatMap(({ session }) => session.clients.map((client) => client.notes))
  const runs = outcomes.flatMap(({ record }) => record.runs ?? [])
  const seen = notes.flatMap(({ seen }) => seen)
  const errors = seen.flatMap((each) =>
    each.kind === "frame" && each.status !== null ? [`${each.status}`] : []
  )
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["seed", String(report.seed)],
    ["time", `${Math.round(report.seconds)} s`],
    ["sessions, clients", `${outcomes.length}, ${notes.length}`],
    ["questions", String(notes.reduce((sum, { questions }) => sum + questions.size, 0))],
    ["runs", counted(runs.map(({ status }) => status))],
    ["frames", String(notes.reduce((sum, { frames }) => sum + frames, 0))],
    ["sockets", String(seen.filter(({ kind }) => kind === "dialled").length)],
    ["gaps", String(notes.reduce((sum, { gaps }) => sum + gaps, 0))],
    ["errors told", counted(errors)],
    ["faults", counted(faults.map(({ kind }) => kind))],
    ["back after a cut, p50 / p95 / max", spread(notes.flatMap(({ returns }) => returns))],
    ["lost runs told after, p50 / p95 / max", spread(silences(outcomes))],
    ["peak memory", peakMemory.map(({ id, bytes }) => `${id} ${Math.round(bytes / 1e6)} MB`).join(", ")],
    [
      "clients' process",
      `${Math.round(generator.cpuShare * 100)} % of a core, lag ${generator.lagMs} ms (p99)`
    ],
    [
      "violations",
      violations.length === 0
        ? "none"
        : `${violations.length}: ${counted(violations.map(({ kind }) => kind))}`
    ]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n")
}

/** One violation of each kind and then others, each with what happened around it. */
export const details = (report: Report): string => {
  const kinds = new Set<string>()
  const isFirst = ({ kind }: Violation) => !kinds.has(kind) && kinds.add(kind).size > 0
  const firsts = report.violations.filter(isFirst)
  const others = report.violations.filter((violation) => !firsts.includes(violation))
  return [...firsts, ...others]
    .slice(0, shownViolations)
    .map((violation) => explained(violation, report))
    .join("\n\n")
}

const explained = (violation: Violation, { outcomes, faults, startedAt }: Report): string => {
  const clock = (at: number) => ((at - startedAt) / 1000).toFixed(3).padStart(9)
  const outcome = outcomes.find(({ record }) => record.chatId === violation.chatId)
  const events = (outcome?.record.views ?? [])
    .filter(({ client }) => violation.client === null || client === violation.client)
    .flatMap(({ client, seen }) => merged(seen).map(({ each, times }) => ({ client, each, times })))
    .sort((a, b) => a.each.at - b.each.at)
  const end = events.findIndex(({ each }) => violation.at !== null && each.at > violation.at)
  const last = end === -1 ? events.length : Math.min(events.length, end + 4)
  const some = events.slice(Math.max(0, last - shownEvents), last)
  const from = (some[0]?.each.at ?? 0) - 5_000
  const to = some.at(-1)?.each.at ?? 0
  return [
    `${violation.kind}: ${violation.text}  [${violation.chatId} ${violation.client ?? "all clients"}]`,
    ...faults
      .filter((fault) => fault.from < to && (fault.until ?? to) > from)
      .map(
        ({ kind, what, from, until }) =>
          `  ${clock(from)} -${until === null ? "" : clock(until)}  ${kind} ${what}`
      ),
    ...some.map(
      ({ client, each, times }) =>
        `  ${clock(each.at)} ${client.padEnd(6)} ${worded(each)}${times > 1 ? ` … ${times} frames` : ""}`
    )
  ].join("\n")
}

/** Neighbouring pieces of text as one. */
const merged = (
  seen: ReadonlyArray<Seen>
): ReadonlyArray<{ readonly each: Seen; readonly times: number }> => {
  const found: Array<{ each: Seen; times: number }> = []
  for (const each of seen) {
    const before = found.at(-1)
    const isText = (one: Seen | undefined) => one?.kind === "frame" && one.type === "stream"
    if (before !== undefined && isText(each) && isText(before.each)) before.times += 1
    else found.push({ each, times: 1 })
  }
  return found
}

const worded = (seen: Seen): string => {
  switch (seen.kind) {
    case "dialled":
      return `socket opened${seen.resume === null ? "" : `, resumes ${seen.resume.epoch}/${seen.resume.seq}`}`
    case "placed":
      return `is at ${seen.epoch}/${seen.seq}, ${seen.status}, ${seen.recovered ? "recovered" : "not recovered"}`
    case "loaded":
      return `read the history: ${seen.ids.length} more, up to ${seen.ids.at(-1) ?? "nothing"}`
    case "left":
      return `socket gone: ${seen.why}`
    case "said":
      return seen.what
    case "frame": {
      const numbers = seen.first === seen.seq ? (seen.seq ?? "-") : `${seen.first}-${seen.seq}`
      const id = seen.messageId === null ? "" : ` id ${seen.messageId}`
      const asked =
        seen.question === null ? "" : ` ${seen.question.clientMsgId} id ${seen.question.messageId}`
      const error = seen.status === null ? "" : ` ${seen.status}`
      const text = JSON.stringify((seen.content + seen.reasoning + seen.text).slice(0, 40))
      return `${seen.epoch ?? ""}/${numbers} ${seen.type}/${seen.category} ${seen.runId?.slice(0, 6) ?? ""}${error}${asked}${id} ${text}`
    }
  }
}
