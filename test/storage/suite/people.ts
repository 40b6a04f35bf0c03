import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Audit } from "../../../src/storage/Audit.ts"
import { Files } from "../../../src/storage/Files.ts"
import { StorageHealth } from "../../../src/storage/StorageHealth.ts"
import { Users } from "../../../src/storage/Users.ts"
import { freshId, freshUser, type It, itIs, race, type Stores, someTime, times } from "./vocabulary.ts"

export const peopleSuite = <E>(it: It, stores: Layer.Layer<Stores, E>) => {
  /** In a storage that nobody has used. */
  const anew = <A, E2>(effect: Effect.Effect<A, E2, Stores>) => Effect.provide(effect, Layer.fresh(stores))

  it.effect("the first to register is the admin; guests before do not count", () =>
    anew(
      Effect.gen(function* () {
        const users = yield* Users
        yield* itIs(someTime)
        const guest = yield* users.guest("guest-1")
        const ann = yield* users.register("ann", "hash")
        const ben = yield* users.register("ben", "hash")
        expect([guest.role, ann.role, ben.role]).toEqual(["guest", "admin", "user"])
        expect(ann).toEqual({
          user_id: expect.any(Number),
          user_name: "ann",
          role: "admin",
          create_time: new Date(someTime)
        })
        expect(yield* users.get(ann.user_id)).toEqual(Option.some(ann))
        expect(yield* users.get(ben.user_id)).toEqual(Option.some(ben))
        expect(yield* users.get(guest.user_id)).toEqual(Option.some(guest))
        expect(new Set([guest, ann, ben].map((user) => user.user_id)).size).toBe(3)
      })
    )
  )

  it.effect("however many register at once, one of them is the admin", () =>
    anew(
      Effect.gen(function* () {
        const users = yield* Users
        const all = yield* race(times(16, (i) => users.register(`user ${i}`, "hash")))
        expect(all.filter((user) => user.role === "admin")).toHaveLength(1)
        expect(all.filter((user) => user.role === "user")).toHaveLength(15)
        expect(new Set(all.map((user) => user.user_id)).size).toBe(16)
      })
    )
  )

  it.effect("of several who register one name at once in an empty storage, one gets it", () =>
    anew(
      Effect.gen(function* () {
        const users = yield* Users
        const all = yield* race(times(8, (i) => Effect.either(users.register("ann", `hash ${i}`))))
        const [winner, ...others] = all.filter((one) => one._tag === "Right")
        expect(others).toEqual([])
        expect(winner?.right.role).toBe("admin")
        for (const one of all) {
          if (one._tag === "Left") expect(one.left).toMatchObject({ _tag: "NameTaken", userName: "ann" })
        }
        expect((yield* users.register("ben", "hash")).role).toBe("user")
      })
    )
  )

  it.effect("a name in use is taken, by people and guests alike", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const [person, guest] = [freshId(), freshId()]
      yield* users.register(person, "hash")
      yield* users.guest(guest)
      for (const userName of [person, guest]) {
        for (const attempt of [users.register(userName, "other"), users.guest(userName)]) {
          expect(yield* Effect.flip(attempt)).toMatchObject({ _tag: "NameTaken", userName })
        }
      }
    })
  )

  it.effect("names are compared to the letter", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const tag = freshId()
      const names = ["ann", "Ann", "änn", "ann ", "a\u0308nn", "Ａnn", "安"].map((name) => tag + name)
      const registered = yield* Effect.forEach(names, (name) => users.register(name, `hash of ${name}`))
      for (const [i, name] of names.entries()) {
        expect(yield* users.credentials(name)).toEqual(
          Option.some({ user: registered[i], passwordHash: `hash of ${name}` })
        )
      }
      expect(yield* users.credentials(`${tag}ANN`)).toEqual(Option.none())
    })
  )

  it.effect("guests and strangers have no credentials", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const guest = freshId()
      yield* users.guest(guest)
      expect(yield* users.credentials(guest)).toEqual(Option.none())
      expect(yield* users.credentials("")).toEqual(Option.none())
      expect(yield* users.get(freshUser() + 1e9)).toEqual(Option.none())
    })
  )

  it.effect("what was done is listed newest first, of everything or of one thing", () =>
    Effect.gen(function* () {
      const audit = yield* Audit
      const [one, two] = [freshId(), freshId()]
      yield* itIs(someTime)
      const done = (action: string, objectId: string) => audit.add({ userId: 7, action, objectId, ip: "::1" })
      yield* done("app.create", one)
      yield* done("app.create", two)
      yield* done("app.delete", one)
      const actions = (objectId: string | null, limit: number) =>
        Effect.map(audit.list({ objectId, limit }), (rows) => rows.map((row) => [row.action, row.objectId]))
      expect(yield* actions(one, 10)).toEqual([
        ["app.delete", one],
        ["app.create", one]
      ])
      expect(yield* actions(null, 2)).toEqual([
        ["app.delete", one],
        ["app.create", two]
      ])
      expect(yield* audit.list({ objectId: two, limit: 10 })).toEqual([
        {
          id: expect.any(Number),
          userId: 7,
          action: "app.create",
          objectId: two,
          ip: "::1",
          create_time: new Date(someTime)
        }
      ])
      expect(yield* actions(freshId(), 10)).toEqual([])
    })
  )

  it.effect("files are kept, found by app and uploader, oldest first, and removed for good", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const flow_id = freshId()
      const file = (user_id: number, name: string) => ({
        id: freshId(),
        flow_id,
        user_id,
        name,
        media_type: "application/pdf",
        bytes: 6_000_000_000
      })
      const [a, b, c] = [file(1, "报告.pdf"), file(2, "b"), file(3, "c")]
      yield* itIs(someTime)
      const first = yield* files.add(a)
      expect(first).toMatchObject({ ...a, create_time: new Date(someTime) })
      yield* itIs(someTime + 1)
      yield* files.add(b)
      yield* itIs(someTime + 2)
      yield* files.add(c)
      expect(yield* files.get(a.id)).toEqual(Option.some(first))
      const names = (userIds: ReadonlyArray<number>) =>
        Effect.map(files.ofFlow(flow_id, userIds), (rows) => rows.map((row) => row.name))
      expect(yield* names([3, 1])).toEqual(["报告.pdf", "c"])
      expect(yield* names([])).toEqual([])
      expect(yield* files.ofFlow(freshId(), [1, 2, 3])).toEqual([])
      expect((yield* Effect.flip(files.add(a)))._tag).toBe("StorageError")
      expect(yield* files.remove(a.id)).toBe(true)
      expect(yield* files.remove(a.id)).toBe(false)
      expect(yield* files.get(a.id)).toEqual(Option.none())
      expect(yield* names([1, 2, 3])).toEqual(["b", "c"])
    })
  )

  it.effect("a storage that works says so", () => Effect.flatMap(StorageHealth, (health) => health.check))
}
