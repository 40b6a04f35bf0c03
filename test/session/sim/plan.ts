/** What clients do in a history, drawn. */
import type { OnBusy } from "../../../src/protocol/payloads.ts"
import type { Client } from "./Client.ts"
import type { Cluster } from "./Cluster.ts"
import type { World } from "./VirtualTime.ts"

/** How much happens, and for how many milliseconds. */
export interface Size {
  readonly nodes: number
  readonly chats: number
  readonly clients: number
  /** Of one client at most. */
  readonly deeds: number
  readonly troubles: number
  readonly active: number
}

/** Most histories are small: what goes wrong goes wrong between two nodes and a few questions. */
export const sizeOf = (world: World): Size =>
  world.chance(0.95)
    ? {
        nodes: world.chance(0.8) ? 2 : 3,
        chats: 1,
        clients: world.between(1, 2),
        deeds: world.between(1, 3),
        troubles: world.oneOf([0, 1, 1, 1, 2]),
        active: world.between(1000, 3000)
      }
    : {
        nodes: world.between(2, 3),
        chats: world.between(1, 2),
        clients: world.between(2, 4),
        deeds: world.between(2, 6),
        troubles: world.between(1, 4),
        active: world.between(3000, 8000)
      }

export const plan = (world: World, cluster: Cluster, { chats, clients, deeds, active }: Size): void => {
  for (let i = 0; i < clients; i++) {
    const client = cluster.addClient(
      {
        name: `c${i}`,
        chatId: `chat${i % chats}`,
        replyTo: () =>
          world.chance(0.8)
            ? {
                body: `${world.oneOf(["say", "say", "fail", "wait"])} reply ${i}`,
                after: world.between(0, 1500)
              }
            : null
      },
      { window: world.oneOf([1, 3, 50]), slowness: world.oneOf([0, 0, 10, 200]) }
    )
    world.after(world.between(0, 300), () => client.dial())
    for (let deed = world.between(1, deeds); deed > 0; deed--) {
      world.after(world.between(50, active * 0.8), () => act(world, client, deed))
    }
  }
}

/** Somebody comes to each chat and asks, wherever the way leads: after all that has happened it must be answered. */
export const lastQuestions = (cluster: Cluster, { chats }: Size): void => {
  for (let i = 0; i < chats; i++) asks(cluster, { name: `last${i}`, chatId: `chat${i}` }).dial()
}

/** Somebody who asks once connected, and stays; to that node, as long as it lives. */
export const asks = (
  cluster: Cluster,
  { name, chatId, node }: { readonly name: string; readonly chatId: string; readonly node?: number }
): Client => {
  const reading = { window: 50, slowness: 0 }
  const client = cluster.addClient(
    { name, chatId, replyTo: () => null },
    node === undefined ? reading : { ...reading, node }
  )
  client.ask({
    _tag: "Ask",
    action: "default",
    inputs: { input: `say ${name}` },
    clientMsgId: name,
    onBusy: "enqueue"
  })
  return client
}

const act = (world: World, client: Client, deed: number): void => {
  const { name } = client.options
  const luck = world.random()
  if (luck < 0.7) {
    const kind = world.oneOf(["say", "say", "say", "tool", "fail", "die", "wait"])
    const words = "abcdefghijklmnopqrstuvwxyz".slice(0, world.between(1, 12))
    client.ask({
      _tag: "Ask",
      action: "default",
      inputs: { input: `${kind} ${name}.${deed} ${world.chance(0.05) ? words.repeat(20) : words}` },
      clientMsgId: world.chance(0.9) ? `${name}-${deed}` : null,
      onBusy: world.oneOf<OnBusy>(["enqueue", "enqueue", "enqueue", "reject", "interrupt", "rollback"])
    })
  } else if (luck < 0.85) {
    client.say({ _tag: "Stop", scope: world.chance(0.7) ? "run" : "all", runId: null })
  } else client.connection?.cut()
}
