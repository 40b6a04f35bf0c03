/** What must hold of every history, whatever happened in it. Each violation is said in one line. */
import * as Predicate from "effect/Predicate"
import type { Run } from "../../../src/storage/rows.ts"
import { checkSight } from "./checkSight.ts"
import type { ClientHistory, History, SeenFrame, StoredRun } from "./history.ts"

export const check = (history: History): ReadonlyArray<string> => [
  ...(history.unrest === null ? [] : [`it did not come to rest: ${history.unrest}`]),
  ...losses(history),
  ...ends(history),
  ...acknowledged(history),
  ...agreement(history.clients),
  ...history.clients.flatMap((client) => {
    const runs = history.runs.filter(({ run }) => run.chat_id === client.chatId)
    return [...checkSight(client, new Map(runs.map((stored) => [stored.run.id, stored])), history.gone)]
  })
]

/** A run is lost where its node is, and a node is where others have a reason to take it for dead. */
function* losses({ runs, gone, wronged }: History): Generator<string, void> {
  for (const name of wronged) yield `${name} was taken for dead`
  for (const { run } of runs) {
    if (run.status === "lost" && !gone.has(run.owner))
      yield `run ${nameOf(run)} was lost, and its node was not`
  }
}

const over: ReadonlyArray<Run["status"]> = ["done", "stopped", "failed", "lost"]

/** Every question has ended, and none was accepted twice. */
function* ends({ runs }: History): Generator<string, void> {
  const ids = new Set<string>()
  for (const { run } of runs) {
    if (!over.includes(run.status)) yield `run ${nameOf(run)} was left ${run.status}`
    if (run.client_msg_id === null) continue
    const id = `${run.chat_id} ${run.client_msg_id}`
    if (ids.has(id)) yield `question ${id} was accepted twice`
    ids.add(id)
  }
}

/** What was acknowledged is in the database. Replies have no run of their own. */
function* acknowledged({ clients, runs }: History): Generator<string, void> {
  const known = new Set(runs.map(({ run }) => run.client_msg_id))
  for (const { name, entries } of clients) {
    for (const entry of entries) {
      if (entry._tag !== "Acknowledged" || entry.clientMsgId.includes("-r")) continue
      if (!known.has(entry.clientMsgId)) yield `${name}: ${entry.clientMsgId} was acknowledged and is gone`
    }
  }
}

/** Under one epoch a number is the same frame to everybody. Merged frames are compared by their text. */
function* agreement(clients: ReadonlyArray<ClientHistory>): Generator<string, void> {
  const told = new Map<string, { readonly json: string; readonly name: string }>()
  const texts = new Map<string, Map<number, string>>()
  for (const { name, chatId, entries } of clients) {
    let epoch = ""
    for (const entry of entries) {
      if (entry._tag === "Opened") epoch = entry.place.epoch
      if (entry._tag !== "Frame") continue
      const { frame } = entry
      const place = `${chatId} ${epoch}:${frame.seq}`
      if (frame.first_seq !== undefined) continue
      const json = JSON.stringify(frame)
      const before = told.get(place)
      if (before !== undefined && before.json !== json) {
        yield `${place} is ${before.json} to ${before.name} and ${json} to ${name}`
      }
      told.set(place, { json, name })
      const text = streamed(frame)
      if (text === null) continue
      const known = texts.get(`${chatId} ${epoch}`) ?? new Map<number, string>()
      texts.set(`${chatId} ${epoch}`, known.set(frame.seq, text))
    }
  }
  for (const { name, chatId, entries } of clients) {
    let epoch = ""
    for (const entry of entries) {
      if (entry._tag === "Opened") epoch = entry.place.epoch
      if (entry._tag !== "Frame" || entry.frame.first_seq === undefined) continue
      const { first_seq, seq } = entry.frame
      const known = texts.get(`${chatId} ${epoch}`)
      let whole: string | null = ""
      for (let i = first_seq; i <= seq; i++) {
        const piece = known?.get(i)
        whole = whole === null || piece === undefined ? null : whole + piece
      }
      if (whole !== null && whole !== streamed(entry.frame)) {
        yield `${name}: ${epoch}:${first_seq}–${seq} is ${streamed(entry.frame)}, and ${whole} to others`
      }
    }
  }
}

/** The text of a delta; null: it is none. */
export const streamed = ({ type, category, message }: SeenFrame): string | null => {
  if (type !== "stream" || category !== "processing" || !Predicate.isRecord(message)) return null
  const { content } = message
  return typeof content === "string" ? content : null
}

export const nameOf = ({ id, client_msg_id }: StoredRun["run"]): string => client_msg_id ?? id
