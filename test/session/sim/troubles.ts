/** What goes wrong in a history, drawn. Each trouble has its end; when all have ended, everything is well again. */
import type { Cluster } from "./Cluster.ts"
import { asks } from "./plan.ts"
import type { World } from "./VirtualTime.ts"
import { fair, type Weather } from "./Wire.ts"

interface Trouble {
  readonly begin: () => void
  readonly end: () => void
}

/**
 * Lets so many troubles begin in `active` milliseconds; answers when all have ended. `lease`: milliseconds after which a
 * silent node is taken for dead.
 */
export const troubles = (
  world: World,
  cluster: Cluster,
  count: number,
  { active, lease }: { readonly active: number; readonly lease: number }
): number => {
  let over = active
  // Some histories have one kind of trouble again and again.
  const drawn = world.chance(0.25) ? [world.oneOf(kinds)] : kinds
  for (let i = 0; i < count; i++) {
    const { begin, end } = world.oneOf(drawn)(world, cluster)
    const at = world.between(0, active - 200)
    const lasts = world.oneOf([1, world.between(1, 500), world.between(lease, lease + 2000)])
    over = Math.max(over, at + lasts + 1)
    world.after(at, () => {
      begin()
      world.after(lasts, end)
    })
  }
  return over
}

const aNode = (world: World, cluster: Cluster): number => world.between(0, cluster.options.nodes - 1)

/** Between any two steps of whatever runs there. */
const crash = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return {
    begin: () => cluster.crash(node, world.oneOf([0, world.between(1, 200)])),
    end: () => {
      cluster.crash(node, 0)
      cluster.start(node)
    }
  }
}

/** Somebody asks a node as soon as it is up: the others may not know of it yet. */
const newcomer = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return {
    begin: () => cluster.crash(node, 0),
    end: () => {
      cluster.crash(node, 0)
      cluster.start(node)
      const client = asks(cluster, { name: `early${cluster.clients.length}`, chatId: "chat0", node })
      const come = () => {
        if (cluster.processOf(node)?.hub == null) world.after(1, come)
        else client.dial()
      }
      come()
    }
  }
}

const shutDown = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return {
    begin: () => cluster.shutDown(node),
    end: () => {
      // One that takes too long is killed.
      cluster.crash(node, 0)
      cluster.start(node)
    }
  }
}

const pause = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return { begin: () => cluster.pause(node), end: () => cluster.resume(node) }
}

const storeUnreached = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return { begin: () => cluster.reachStore(node, false), end: () => cluster.reachStore(node, true) }
}

const databaseUnreached = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return { begin: () => cluster.reachDatabase(node, false), end: () => cluster.reachDatabase(node, true) }
}

/** It comes back as it was, empty, or as a copy that was behind. */
const storeDown = (world: World, cluster: Cluster): Trouble => {
  const loses = world.oneOf(["nothing", "everything", "a little"])
  return {
    begin: () => {
      cluster.setStoreUp(false)
      if (loses === "everything") cluster.flush()
      else if (loses === "a little") cluster.failOver(world.between(1, 12))
    },
    end: () => cluster.setStoreUp(true)
  }
}

const flushed = (_world: World, cluster: Cluster): Trouble => ({
  begin: () => cluster.flush(),
  end: () => undefined
})

/** What happens in between is never known to a node. */
const flushedTwice = (world: World, cluster: Cluster): Trouble => {
  const node = aNode(world, cluster)
  return {
    begin: () => {
      cluster.reachStore(node, false)
      cluster.flush()
    },
    end: () => {
      cluster.flush()
      cluster.reachStore(node, true)
    }
  }
}

const expired = (_world: World, cluster: Cluster): Trouble => ({
  begin: () => cluster.expire(),
  end: () => undefined
})

const databaseDown = (_world: World, cluster: Cluster): Trouble => ({
  begin: () => cluster.setDatabaseUp(false),
  end: () => cluster.setDatabaseUp(true)
})

const storm = (world: World, cluster: Cluster): Trouble => {
  const often = () => world.oneOf([0, 0, 0.05, 0.3])
  const weather = (): Weather => ({
    lostBefore: often(),
    lostAfter: often(),
    late: often() / 3,
    unheard: world.oneOf([0, 0.1, 1])
  })
  return {
    begin: () => cluster.setWeather({ store: weather(), database: weather() }),
    end: () => cluster.setWeather({ store: fair, database: fair })
  }
}

const unheard = (_world: World, cluster: Cluster): Trouble => ({
  begin: () => cluster.setWeather({ store: { ...fair, unheard: 1 }, database: fair }),
  end: () => cluster.setWeather({ store: fair, database: fair })
})

const kinds = [
  crash,
  crash,
  crash,
  newcomer,
  shutDown,
  pause,
  pause,
  storeUnreached,
  databaseUnreached,
  storeDown,
  flushed,
  flushedTwice,
  expired,
  databaseDown,
  storm,
  unheard
]
