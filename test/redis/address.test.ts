import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { readAddress } from "../../src/redis/address.ts"

const read = (url: string) => Either.getOrThrow(readAddress(url))

const common = { tls: false, username: null, password: null, prefix: "" }

it("one server, by name, port, login and database", () => {
  expect(read("redis://localhost")).toEqual({
    ...common,
    kind: "single",
    at: { host: "localhost", port: 6379 },
    db: 0
  })
  expect(read("rediss://me:p%40ss%3A%2F@r.example:6380/3?prefix=chat:")).toEqual({
    kind: "single",
    tls: true,
    username: "me",
    password: "p@ss:/",
    prefix: "chat:",
    at: { host: "r.example", port: 6380 },
    db: 3
  })
  expect(read("redis://:secret@[::1]:7000")).toMatchObject({
    username: null,
    password: "secret",
    at: { host: "::1", port: 7000 }
  })
})

it("a Cluster, by some of its nodes", () => {
  expect(read("rediss+cluster://me:pw@a:7000,b,10.0.0.3:7002")).toEqual({
    ...common,
    kind: "cluster",
    tls: true,
    username: "me",
    password: "pw",
    nodes: [
      { host: "a", port: 7000 },
      { host: "b", port: 6379 },
      { host: "10.0.0.3", port: 7002 }
    ]
  })
})

it("a master, by its Sentinels", () => {
  expect(read("redis+sentinel://:pw@a,b:26380/main/2?sentinel_password=x")).toEqual({
    ...common,
    kind: "sentinel",
    password: "pw",
    sentinels: [
      { host: "a", port: 26379 },
      { host: "b", port: 26380 }
    ],
    master: "main",
    db: 2,
    sentinelPassword: "x"
  })
})

it("anything else is refused in words that do not repeat a password", () => {
  const wrong = [
    "",
    "localhost:6379",
    "http://localhost",
    "redis://",
    "redis://:hunter2@a,b",
    "redis://:hunter2@a:0",
    "redis://:hunter2@a:70000",
    "redis://:hunter2@a/first",
    "redis+cluster://:hunter2@a/0",
    "redis+sentinel://:hunter2@a",
    "redis+other://:hunter2@a",
    "redis://:hunter2%@a"
  ]
  for (const url of wrong) {
    const words = Either.getOrThrow(Either.flip(readAddress(url)))
    expect(words).toContain("REDIS_URL")
    expect(words).not.toContain("hunter2")
  }
})
