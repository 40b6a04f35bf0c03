/**
 * Bisheng's users' own graphs, imported and driven to their end by a client that behaves as Bisheng's does,
 * against the real program: once with the built-in offline model, once with a model server.
 */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { drive, type GraphNode, type Imported } from "../support/driving.ts"
import { call, guest, historyOf, startProcess, tempDir } from "../support/process.ts"
import { echoUpstream } from "../support/upstream.ts"

interface Template {
  readonly name: string
  readonly flow_type: number
  readonly data: { readonly nodes: ReadonlyArray<GraphNode> }
}

const file = readFileSync(new URL("../fixtures/bisheng-templates.json", import.meta.url), "utf8")
const templates: ReadonlyArray<Template> = JSON.parse(file)

const models = {
  "the offline model": Effect.succeed({}),
  "a model server": Effect.map(echoUpstream, (url) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "test" }))
} as const

/** In every document and question that is given to the apps; so an answer that is built from them has it. */
const clue = "Kestrel"

for (const [name, model] of Object.entries(models)) {
  describe(`Bisheng's templates with ${name}`, () => {
    it.scopedLive(
      "import whole; each runs to close, or says what it lacks",
      () =>
        Effect.gen(function* () {
          const server = yield* startProcess({ ...(yield* model), DATA_DIR: yield* tempDir })
          const token = yield* guest(server)
          const imported: ReadonlyArray<Imported> = yield* call(server, "POST", "/api/v1/flows/import", {
            token,
            body: templates
          })
          expect(imported.map((app) => app.name.trim())).toEqual(templates.map((app) => app.name.trim()))
          const table: Array<string> = []
          for (const [i, app] of imported.entries()) {
            const nodes = templates[i]?.data.nodes ?? []
            yield* call(server, "PATCH", `/api/v1/flows/${app.id}`, { token, body: { status: 2 } })
            const question = `What is ${clue} Windworks? 请用一句话说明`
            const client = yield* Effect.promise(() =>
              drive({ url: server.url, token }, app, nodes, question)
            )
            const rows = yield* historyOf(server, token, app.id, `chat-${app.id.slice(0, 8)}`)
            const kept = rows.map(({ message, intermediate_steps }) => `${message} ${intermediate_steps}`)
            if (app.lacks.length === 0) {
              expect(client.errors, app.name).toEqual([])
              expect(client.busy, app.name).toBe(false)
              expect(client.closes, app.name).toBeGreaterThan(0)
              expect(kept.join("\n"), app.name).toContain(clue)
            } else {
              expect(JSON.stringify(client.errors), app.name).toContain(app.lacks[0]?.type)
            }
            const lack = app.lacks.map(({ type, reason }) => `${type}: ${reason}`).join("; ")
            table.push(`| ${app.name.trim()} | ${app.flow_type} | ${lack === "" ? "runs" : lack} |`)
          }
          console.log(table.join("\n"))
        }),
      180_000
    )
  })
}
