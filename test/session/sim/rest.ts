/** When a cluster has come to rest: everything has ended, and everybody knows. */
import { type Cluster, hasEnded } from "./Cluster.ts"

/** Why the cluster has not come to rest; null: it has. */
export const unrestOf = (cluster: Cluster): string | null => {
  if (cluster.options.world.straying > 0) return "a call is on its way"
  for (const { isBusy, domain } of cluster.sockets) if (isBusy) return `${domain.name} is asked something`
  for (const { chatId } of cluster.chats) {
    for (const run of cluster.runsOf(chatId)) {
      if (!hasEnded(run)) return `run ${run.id} (${run.client_msg_id}) is ${run.status} at ${run.owner}`
    }
  }
  for (const life of cluster.living) {
    const active = life.hub?.activeRuns()
    if (active !== 0) return `${life.domain.name} counts ${active} runs`
  }
  for (const key of cluster.store.keys) {
    if (cluster.store.isRunning(key)) return `${key} is running as its log says`
  }
  for (const client of cluster.clients) {
    if (client.hasGone) continue
    const { name } = client.options
    if (!client.isAcknowledged) return `${name} waits for an acknowledgement`
    const { place } = client
    if (place === null) return `${name} is not connected`
    const untold = cluster.runsOf(client.options.chatId).find(({ id }) => !client.knowsEndOf(id))
    if (untold !== undefined) return `${name} is not told of the end of ${untold.client_msg_id ?? untold.id}`
    const row = cluster.store.rowOf(cluster.keyOf(client.options.chatId))
    if (row !== undefined && (row.epoch !== place.epoch || row.seq !== place.lastSeq)) {
      return `${name} is at ${place.epoch}:${place.lastSeq}, the store at ${row.epoch}:${row.seq}`
    }
  }
  return null
}
