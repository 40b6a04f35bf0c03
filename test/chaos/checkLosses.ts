/** A run is lost with its node, or with the stores; a node that comes, goes, or looks on loses nothing. Pure. */
import type { Fault } from "./nemesis.ts"
import type { SessionRecord, Violation } from "./record.ts"

/** What happens to one node alone. */
const ofNode = ["kill node", "stop node"]
const ofStores = ["restart redis", "flush redis", "pause redis", "restart mariadb", "pause mariadb"]

/** Milliseconds in which nodes may still suffer from a fault of the stores that is over. */
const aftermath = 15_000

type Ran = { readonly node: string; readonly from: number; readonly until: number }

const explains =
  ({ node, from, until }: Ran) =>
  (fault: Fault): boolean => {
    const over = fault.until ?? Number.POSITIVE_INFINITY
    if (fault.from > until) return false
    if (ofNode.includes(fault.kind)) return fault.what.startsWith(`${node} `) && over >= from
    return ofStores.includes(fault.kind) && over + aftermath >= from
  }

export function* checkLosses(
  { chatId, runs }: Pick<SessionRecord, "chatId" | "runs">,
  faults: ReadonlyArray<Fault>
): Generator<Violation> {
  for (const { id, status, ran } of runs ?? []) {
    if (status !== "lost" || ran === null || faults.some(explains(ran))) continue
    const text = `run ${id} of ${ran.node} was lost, and nothing had happened to that`
    yield { kind: "lost", chatId, client: null, text, passing: false, at: ran.until }
  }
}
