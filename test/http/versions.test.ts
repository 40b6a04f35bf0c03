import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, startHttp, success, textAt } from "./support.ts"

const graph = (name: string) => ({ nodes: [{ id: name }], edges: [] })

const setUp = Effect.gen(function* () {
  const server = yield* startHttp()
  yield* server.register("root")
  const ada = yield* server.register("ada")
  const bob = yield* server.guest
  const made = yield* server.post(
    "/flows",
    { name: "W", data: graph("one"), flow_type: 10, status: 2 },
    { as: ada }
  )
  return { server, ada, bob, id: textAt(made, "id"), current: Number(textAt(made, "version_id")) }
})

it.scopedLive("versions are saved, listed, changed, made current and deleted by the app's owner", () =>
  Effect.gen(function* () {
    const { server, ada, id, current } = yield* setUp
    // As Bisheng's editor does it: the app in the query.
    const saved = yield* server.post(
      `/flows/versions?flow_id=${id}`,
      { name: "draft", description: null, data: graph("two"), original_version_id: current, flow_type: 10 },
      { as: ada }
    )
    const version = Number(textAt(saved, "id"))
    expect(saved.body).toMatchObject({
      data: { flow_id: id, flow_type: 10, name: "draft", is_current: 0, user_id: ada.id, data: graph("two") }
    })
    const listed = yield* server.get(`/flows/versions?flow_id=${id}`, { as: ada })
    expect(listed.body).toMatchObject({
      data: {
        total: 2,
        data: [
          { id: version, name: "draft", is_current: 0 },
          { id: current, name: `v${current}`, is_current: 1 }
        ]
      }
    })
    expect(at(listed.body, "data", "data", 0)).not.toHaveProperty("data")
    const put = yield* server.ask("PUT", `/flows/versions/${version}`, {
      as: ada,
      json: { name: "better", data: graph("three") }
    })
    expect(put.body).toMatchObject({ data: { name: "better", data: graph("three") } })
    yield* server.ask("PATCH", `/flows/versions/${version}`, { as: ada, json: { description: "d" } })
    expect((yield* server.get(`/flows/versions/${version}`, { as: ada })).body).toMatchObject({
      data: { name: "better", description: "d", data: graph("three"), is_current: 0 }
    })
    const changed = yield* server.post(
      "/flows/versions/change",
      { flow_id: id, version_id: version },
      { as: ada }
    )
    expect(changed.body).toMatchObject({ data: { id, version_id: version, data: graph("three"), status: 2 } })
    const back = yield* server.post(`/flows/change_version?flow_id=${id}&version_id=${current}`, undefined, {
      as: ada
    })
    expect(back.body).toMatchObject({ data: { version_id: current, data: graph("one") } })
    const kept = yield* server.ask("DELETE", `/flows/versions/${current}`, { as: ada })
    expect(kept.body).toMatchObject({ status_code: 422, status_message: expect.stringContaining("current") })
    expect((yield* server.ask("DELETE", `/flows/versions/${version}`, { as: ada })).body).toEqual(
      success(null)
    )
    expect((yield* server.get(`/flows/versions/${version}`, { as: ada })).status).toBe(404)
    expect((yield* server.audit(id)).map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        "app.version.create",
        "app.version.update",
        "app.version.choose",
        "app.version.delete"
      ])
    )
  })
)

it.scopedLive("versions are nobody else's, and a copy is made where no graph is given", () =>
  Effect.gen(function* () {
    const { server, ada, bob, id, current } = yield* setUp
    const others = yield* Effect.all([
      server.get(`/flows/versions?flow_id=${id}`, { as: bob }),
      server.get(`/flows/versions/${current}`, { as: bob }),
      server.post("/flows/versions", { flow_id: id, name: "x" }, { as: bob }),
      server.ask("PATCH", `/flows/versions/${current}`, { as: bob, json: { name: "x" } }),
      server.ask("DELETE", `/flows/versions/${current}`, { as: bob }),
      server.post("/flows/versions/change", { flow_id: id, version_id: current }, { as: bob })
    ])
    expect(others.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403])
    const wrong = yield* Effect.all([
      server.get("/flows/versions", { as: ada }),
      server.get("/flows/versions/999999", { as: ada }),
      server.get("/flows/versions/abc", { as: ada }),
      server.post("/flows/versions", { name: "x" }, { as: ada }),
      server.post("/flows/versions", { flow_id: id, name: "x", data: { nodes: 1 } }, { as: ada }),
      server.post("/flows/versions/change", { flow_id: id, version_id: 999999 }, { as: ada }),
      server.post(`/flows/change_version?flow_id=${id}`, undefined, { as: ada })
    ])
    expect(wrong.map(({ status }) => status)).toEqual([422, 404, 422, 422, 422, 404, 422])
    const copy = yield* server.post("/flows/versions", { flow_id: id, name: "copy" }, { as: ada })
    expect(copy.body).toMatchObject({ data: { data: graph("one"), is_current: 0 } })
  })
)
