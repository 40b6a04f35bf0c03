import { connect, createServer, type Socket } from "node:net"
import { expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Settings } from "../../src/config.ts"
import { OptionalRedis, Redis } from "../../src/redis/Redis.ts"
import { RedisError } from "../../src/redis/RedisError.ts"
import { script } from "../../src/redis/Script.ts"
import { testSettings } from "../support/settings.ts"

const testUrl = Effect.map(Effect.orDie(Config.string("TEST_REDIS_URL")), (text) => new URL(text))

const at = (url: string) =>
  Effect.map(Layer.build(Redis.fromUrl(Redacted.make(url))), Context.get(Redis)).pipe(
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

/** Redis behind a door that a test shuts, opens, or leaves open with nobody behind it. */
const door = Effect.gen(function* () {
  const target = yield* testUrl
  const sockets = new Set<Socket>()
  let mode: "open" | "shut" | "silent" = "open"
  const server = createServer((socket) => {
    socket.on("error", () => undefined)
    sockets.add(socket)
    if (mode === "shut") return socket.destroy()
    if (mode === "silent") return
    const inner = connect(Number(target.port), target.hostname)
    sockets.add(inner)
    inner.on("error", () => socket.destroy())
    inner.on("close", () => socket.destroy())
    socket.on("close", () => inner.destroy())
    socket.pipe(inner).pipe(socket)
  })
  const set = (next: typeof mode) => {
    mode = next
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => {
        set("shut")
        server.close()
      })
  )
  const bound = server.address()
  const port = typeof bound === "object" && bound !== null ? bound.port : 0
  return { url: `redis://127.0.0.1:${port}`, set: (next: typeof mode) => Effect.sync(() => set(next)) }
})

/** Redis behind a door that lets everything in, counts the scripts, and lets answers out when it is told to. */
const slowDoor = Effect.gen(function* () {
  const target = yield* testUrl
  let scripts = 0
  let isHeld = false
  let held: Array<() => void> = []
  const server = createServer((socket) => {
    const inner = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [socket, inner],
      [inner, socket]
    ] as const) {
      one.on("error", () => other.destroy())
      one.on("close", () => other.destroy())
    }
    socket.on("data", (bytes) => {
      scripts += bytes.toString("latin1").split("evalsha").length - 1
      inner.write(bytes)
    })
    inner.on("data", (bytes) => {
      const pass = () => socket.write(bytes)
      if (isHeld) held.push(pass)
      else pass()
    })
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close())
  )
  const bound = server.address()
  const port = typeof bound === "object" && bound !== null ? bound.port : 0
  return {
    url: `redis://127.0.0.1:${port}`,
    scripts: () => scripts,
    hold: () => {
      isHeld = true
    },
    letOut: () => {
      isHeld = false
      for (const pass of held) pass()
      held = []
    }
  }
})

const key = () => `test:${crypto.randomUUID()}`

it.scopedLive("a script does not wait until the one before it is answered", () =>
  Effect.gen(function* () {
    const { url, scripts, hold, letOut } = yield* slowDoor
    const redis = yield* at(url)
    const say = script("say", `-- ARGV: a text. That text.\nreturn ARGV[1]`)
    const until = (count: number) =>
      Effect.sync(scripts).pipe(
        Effect.repeat({ until: (seen) => seen >= count, schedule: Schedule.spaced("1 millis") })
      )
    expect(yield* redis.script(say, [], ["known"])).toBe("known")
    const before = scripts()
    hold()
    const first = yield* Effect.fork(redis.script(say, [], ["first"]))
    yield* until(before + 1)
    const second = yield* Effect.fork(redis.script(say, [], ["second"]))
    yield* until(before + 2).pipe(Effect.timeout("2 seconds"), Effect.ensuring(Effect.sync(letOut)))
    expect(yield* Fiber.join(first)).toBe("first")
    expect(yield* Fiber.join(second)).toBe("second")
  })
)

it.scopedLive("commands and scripts answer, under the prefix that the address names", () =>
  Effect.gen(function* () {
    const url = yield* testUrl
    const redis = yield* at(`${url.href}?prefix=p:`)
    const name = key()
    expect(redis.key(name)).toBe(`p:${name}`)
    const text = crypto.randomUUID()
    const put = script(
      "put",
      `-- KEYS: one. ARGV: value. The value.\nredis.call('SET', KEYS[1], '${text}' .. ARGV[1])\nreturn redis.call('GET', KEYS[1])`
    )
    // Unknown to the server at first, known then.
    expect(yield* redis.script(put, [redis.key(name)], ["1"])).toBe(`${text}1`)
    expect(yield* redis.script(put, [redis.key(name)], [2])).toBe(`${text}2`)
    expect(yield* redis.run("del", (client) => client.del(redis.key(name)))).toBe(1)
  })
)

it.scopedLive("a script that fails is an error with its name", () =>
  Effect.gen(function* () {
    const redis = yield* at((yield* testUrl).href)
    const error = yield* Effect.flip(redis.script(script("broken", "return redis.call('NOSUCH')"), [], []))
    expect(error).toBeInstanceOf(RedisError)
    expect(error.operation).toBe("broken")
  })
)

it.scopedLive("without Redis everything fails in time, and works again when it is back", () =>
  Effect.gen(function* () {
    const { url, set } = yield* door
    yield* set("shut")
    const redis = yield* at(url)
    const ping = redis.run("ping", (client) => client.ping())
    const errors = yield* Effect.all(
      Array.from({ length: 50 }, () => Effect.flip(ping)),
      { concurrency: "unbounded" }
    )
    expect(new Set(errors.map(({ _tag, operation }) => `${_tag} ${operation}`))).toEqual(
      new Set(["RedisError ping"])
    )
    yield* set("open")
    expect(yield* Effect.retry(ping, { times: 5 })).toBe("PONG")
    yield* set("shut")
    expect((yield* Effect.flip(ping))._tag).toBe("RedisError")
    yield* set("open")
    expect(yield* Effect.retry(ping, { times: 5 })).toBe("PONG")
  })
)

it.scopedLive("a Redis that takes connections and says nothing is an error in time", () =>
  Effect.gen(function* () {
    const { url, set } = yield* door
    yield* set("silent")
    const redis = yield* at(url)
    const error = yield* Effect.flip(redis.run("ping", (client) => client.ping()))
    expect(error).toMatchObject({ operation: "ping", cause: { message: "Redis does not answer" } })
  })
)

it.scopedLive("a command that was under way when the connection broke is not sent again", () =>
  Effect.gen(function* () {
    const { url, set } = yield* door
    const redis = yield* at(url)
    yield* redis.run("ping", (client) => client.ping())
    const name = key()
    const waiting = yield* Effect.fork(Effect.flip(redis.run("wait", (client) => client.blpop(name, 60))))
    const other = yield* at((yield* testUrl).href)
    yield* Effect.repeat(
      other.run("clients", (client) => client.client("LIST")),
      { until: (list) => String(list).includes("cmd=blpop"), schedule: Schedule.spaced("10 millis") }
    )
    yield* set("shut")
    expect(yield* Fiber.join(waiting)).toMatchObject({ _tag: "RedisError", operation: "wait" })
    yield* set("open")
    yield* other.run("push", (client) => client.rpush(name, "1"))
    yield* Effect.retry(
      redis.run("ping", (client) => client.ping()),
      { times: 5 }
    )
    expect(yield* other.run("len", (client) => client.llen(name))).toBe(1)
    yield* other.run("del", (client) => client.del(name))
  })
)

it.effect("there is none where no address is set, and an address that makes no sense stops the start", () =>
  Effect.gen(function* () {
    const optional = (url: Option.Option<Redacted.Redacted>) =>
      Effect.scoped(
        Layer.build(
          Layer.provide(
            OptionalRedis.Live,
            Layer.succeed(Settings, Settings.of({ ...testSettings, redisUrl: url }))
          )
        )
      )
    expect(Context.get(yield* optional(Option.none()), OptionalRedis)).toEqual(Option.none())
    const error = yield* Effect.flip(optional(Option.some(Redacted.make("redis://:hunter2@a,b"))))
    expect(error).toMatchObject({ _tag: "RedisError", operation: "read REDIS_URL" })
    expect(String(error.cause)).not.toContain("hunter2")
  })
)
