/**
 * A load generator: many chat clients in a process of their own, told over its channel what to do. It measures
 * what clients see and, so that it can be distrusted, its own event loop.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Client } from "./Client.mjs"
import { now, sleep, until } from "./clock.mjs"
import { endWithParent } from "./endWithParent.mjs"

endWithParent()

/** @type {Array<Client>} */
let clients = []
const lagResolution = 10
const lag = monitorEventLoopDelay({ resolution: lagResolution })
lag.enable()

/** 99th percentile of the event loop's delay since the last reset, in milliseconds. */
const lagMillis = () => Math.max(0, lag.percentile(99) / 1e6 - lagResolution)

/** Of several nodes each has its share of the clients; `tabs`: each client has one more tab on the next node. */
const at = (target, i) => {
  const { places = [], spread, tabs, ...one } = target
  if (!spread) return one
  const { stopBase, ...first } = { ...one, ...places[i % places.length] }
  return tabs ? { ...first, stopBase: places[(i + 1) % places.length].base } : first
}

/** Opens `count` clients, `parallel` at a time, and waits until each has its session. */
const connect = async ({ target, label, count, parallel = 32 }) => {
  const began = now()
  let next = 0
  const opened = Array.from({ length: count }, (_, i) => new Client(at(target, i), `${label}-${i}`))
  const open = async () => {
    while (next < count) await opened[next++].open()
  }
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, open))
  clients = opened
  return { count, seconds: (now() - began) / 1e6 }
}

/** Runs in progress are stopped first: they would outlive their sockets. */
const disconnect = async () => {
  const busy = clients.filter((client) => client.busy)
  for (const client of busy) client.stop()
  await Promise.race([Promise.all(busy.map((client) => client.idle())), sleep(5_000)])
  await Promise.all(clients.map((client) => client.close()))
  clients = []
  return {}
}

/** What all clients have seen since they were last reset. */
const collect = () => {
  const total = (pick) => clients.reduce((sum, client) => sum + pick(client), 0)
  return {
    tokens: total((client) => client.tokens),
    frames: total((client) => client.frames),
    bytes: total((client) => client.bytes),
    asked: total((client) => client.asked),
    late: total((client) => client.late),
    firstToken: clients.flatMap((client) => client.firstToken),
    closeTail: clients.flatMap((client) => client.closeTail),
    closeGap: clients.flatMap((client) => client.closeGap),
    errors: clients.flatMap((client) => client.errors).slice(0, 3),
    lagMillis: lagMillis()
  }
}

/**
 * Steady load: every client asks on a schedule of its own that does not wait for answers, and the first
 * answers have random lengths, so that at any moment answers of all ages are in progress. What arrives between
 * `from` and `to` counts.
 */
const stream = async ({ tokens, delay, slack, begin, ramp, from, to }) => {
  const period = (tokens * delay + slack) * 1000
  const loops = clients.map(async (client) => {
    const first = 1 + Math.floor(Math.random() * tokens)
    let at = begin + Math.random() * ramp * 1000
    await until(at)
    if (at < to) client.ask(first, delay)
    at += (first * delay + slack) * 1000
    while (at < to) {
      await until(at)
      // Still answering the last one: the question is asked all the same, as soon as that has ended.
      if (client.busy) client.late += 1
      while (client.busy && now() < to) await Promise.race([client.idle(), until(to)])
      if (now() < to) client.ask(tokens, delay)
      at += period
    }
  })
  await until(from)
  for (const client of clients) client.reset()
  lag.reset()
  await until(to)
  const result = collect()
  await Promise.all(loops)
  return result
}

/** Questions arrive at random moments, `rate` a second, each at the client that has waited longest. */
const arrive = async ({ tokens, delay, rate, from, to }) => {
  const waiting = [...clients]
  await until(from)
  for (const client of clients) client.reset()
  lag.reset()
  let at = now()
  for (;;) {
    at += (-Math.log(1 - Math.random()) / rate) * 1e6
    if (at >= to) break
    await until(at)
    const client = waiting.shift()
    if (client === undefined || client.busy) {
      if (client) waiting.push(client)
      clients[0].late += 1
      continue
    }
    client.ask(tokens, delay)
    waiting.push(client)
  }
  await until(to)
  await Promise.race([Promise.all(clients.map((client) => client.idle())), sleep(5_000)])
  return collect()
}

/** Answers of all ages, one after the other, at some of the clients, until the window ends. */
const keepBusy = (some, { tokens, delay, to }) =>
  some.map(async (client) => {
    await sleep(Math.random() * tokens * delay)
    while (now() < to) {
      client.ask(tokens, delay)
      await Promise.race([client.idle(), until(to)])
    }
  })

/** Every client asks, stops its answer at a random moment, and again; but for `beside`, who are answered meanwhile. */
const stop = async ({ tokens, delay, earliest, latest, beside, begin, from, to }) => {
  const samples = []
  await until(begin)
  const others = keepBusy(clients.slice(0, beside), { tokens, delay, to })
  await until(from)
  lag.reset()
  await Promise.all(
    clients.slice(beside).map(async (client) => {
      await sleep(Math.random() * (latest - earliest))
      while (now() < to) {
        const answer = client.ask(tokens, delay)
        // From the first token on: there is something to stop, upstream too.
        while (client.busy && !answer.begun && now() < to) await sleep(10)
        await sleep(earliest + Math.random() * (latest - earliest))
        if (!client.busy) continue
        const stopped = client.stop()
        await Promise.race([client.idle(), sleep(5_000)])
        samples.push({ id: answer.id, stopped, closed: answer.closed })
      }
    })
  )
  await Promise.all(others)
  return { samples, errors: clients.flatMap(({ errors }) => errors).slice(0, 3), lagMillis: lagMillis() }
}

/** All connections are cut at once, and all come back with their places, `parallel` at a time. */
const reconnect = async ({ parallel }) => {
  for (const client of clients) client.cut()
  const began = now()
  const failures = []
  let next = 0
  let recovered = 0
  const comeBack = async () => {
    while (next < clients.length) {
      const client = clients[next++]
      try {
        if (await client.reopen()) recovered += 1
      } catch (error) {
        failures.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, comeBack))
  const seconds = (now() - began) / 1e6
  return { seconds, recovered, failures: failures.length, failure: failures[0] ?? null }
}

/** Does nothing but answer pings. */
const rest = async ({ from, to }) => {
  await until(from)
  for (const client of clients) client.errors.length = 0
  lag.reset()
  await until(to)
  return collect()
}

const commands = { connect, disconnect, stream, arrive, stop, reconnect, rest }

process.on("message", async (message) => {
  try {
    process.send?.(await commands[message.do](message))
  } catch (error) {
    process.send?.({ failed: String(error) })
  }
})
console.log("generator ready")
