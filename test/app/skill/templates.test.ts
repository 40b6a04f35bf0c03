import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeGraph, whatLacks } from "../../../src/app/skill/Skill.ts"
import { says } from "../scriptedModel.ts"
import { doc, question, run, skill } from "./bench.ts"

const Fixture = Schema.parseJson(
  Schema.Array(Schema.Struct({ name: Schema.String, flow_type: Schema.Number, data: Schema.Unknown }))
)

const skills = Schema.decodeUnknownSync(Fixture)(
  readFileSync(new URL("../../fixtures/bisheng-templates.json", import.meta.url), "utf8")
).filter(({ flow_type }) => flow_type === 1)

const file = "a".repeat(32)
const files = { [file]: [doc("营业成本是一百万元"), doc("供应商有三家", { page: 2 })] }

describe("every skill among Bisheng's templates", () => {
  it("is there", () => expect(skills).toHaveLength(10))

  for (const { data, name } of skills) {
    it.effect(`${name.trim()} answers from what it is given, or says what it lacks`, () =>
      Effect.gen(function* () {
        const lacking = whatLacks(yield* decodeGraph(data))
        if (lacking.length > 0) {
          expect(name).toContain("联网搜索对话")
          expect(lacking.map(({ type }) => type)).toEqual(["BingSearchAPIWrapper"])
          const refused = yield* Effect.flip(skill(data))
          expect(refused._tag).toBe("AppNotBuilt")
          expect(refused.reason).toContain(lacking[0]?.nodeId)
          return
        }
        const { app, model } = yield* skill(data, { turns: [says("答案")], files, library: [doc("毕昇")] })
        const nodes = app.form?.files.map(({ nodeId }) => nodeId) ?? []
        const filled =
          app.form === undefined
            ? app
            : yield* app.form.fill({
                files: Object.fromEntries(nodes.map((id) => [id, file])),
                variables: Object.fromEntries(
                  app.form.variables.map(({ names, nodeId }) => [
                    nodeId,
                    Object.fromEntries(names.map((one) => [one, `值-${one}`]))
                  ])
                )
              })
        const { last } = yield* run(filled, question("营业成本是多少？"))
        expect(last?._tag).toBe("Answered")
        const asked = model.requests
          .flatMap(({ messages }) => messages.map(({ content }) => content))
          .join("\n")
        if (nodes.length > 0) expect(asked).toContain("营业成本是一百万元")
        for (const { names } of app.report === undefined ? (app.form?.variables ?? []) : []) {
          for (const one of names) expect(asked).toContain(`值-${one}`)
        }
      })
    )
  }

  it.effect("the report names its answers and variables as Bisheng's editor does", () =>
    Effect.gen(function* () {
      const data = skills.find(({ name }) => name.includes("报告"))?.data
      const { app } = yield* skill(data, { turns: [says("答")], files })
      const filled = yield* app.form?.fill({
        files: { "InputFileNode-a4516": file },
        variables: { "VariableNode-UB934": { 客户名称: "甲公司" } }
      }) ?? Effect.dieMessage("no form")
      expect(filled.report?.name).toBe("尽调报告")
      expect(filled.report?.variables).toEqual({
        客户名称: "甲公司",
        "VariableNode-UB934_客户名称": "甲公司",
        客户规模: "",
        "VariableNode-UB934_客户规模": ""
      })
      expect(filled.report?.sections).toHaveLength(4)
      expect(filled.report?.sections[0]).toMatchObject({
        nodeId: "RetrievalQA-F6quW",
        question: "公司主营业务的市场定位是什么？",
        keys: [
          "RetrievalQA-F6quW_公司主营业务的市场定位是什么？",
          "公司主营业务的市场定位是什么？",
          "RetrievalQA-F6quW_0"
        ]
      })
      expect(filled.form?.takesQuestion).toBe(false)
      const { last } = yield* run(filled, question(""))
      expect(last).toMatchObject({ _tag: "Answered", usage: { promptTokens: 40, completionTokens: 12 } })
    })
  )
})
