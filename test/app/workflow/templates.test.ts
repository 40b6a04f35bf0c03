/** Bisheng's own workflows, as its editor has saved them. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { App } from "../../../src/app/App.ts"
import type { ModelRequest } from "../../../src/model/LanguageModel.ts"
import { says, scriptedModel } from "../scriptedModel.ts"
import { build, type Ran, resume, run, said } from "./support.ts"

const Templates = Schema.parseJson(
  Schema.Array(Schema.Struct({ name: Schema.String, flow_type: Schema.Number, data: Schema.Unknown }))
)

const templates = Schema.decodeUnknownSync(Templates)(
  readFileSync(new URL("../../fixtures/bisheng-templates.json", import.meta.url), "utf8")
)

const template = (name: string): unknown => templates.find((one) => one.name.includes(name))?.data

const lastPrompt = (request: ModelRequest): string => request.messages.at(-1)?.content ?? ""

/** One answer after the other, each to the node that it names; answers every run. */
const drive = (
  app: App,
  ...answers: ReadonlyArray<Record<string, unknown>>
): Effect.Effect<ReadonlyArray<Ran>> =>
  Effect.gen(function* () {
    const runs = [yield* run(app)]
    for (const answer of answers) runs.push(yield* resume(app, runs.at(-1)?.state, answer))
    expect(runs.map(({ error }) => error)).toEqual(runs.map(() => null))
    return runs
  })

const told = (ran: Ran | undefined): ReadonlyArray<string> =>
  (ran?.lines ?? []).filter((line) => /^(guide|input|output|streamed|Waiting|Finished)/.test(line))

describe("Bisheng's template", () => {
  it("fixtures hold six workflows", () => {
    expect(templates.filter(({ flow_type }) => flow_type === 10)).toHaveLength(6)
  })

  it.effect("that answers from documents asks, answers, and asks again", () =>
    Effect.gen(function* () {
      const app = yield* build(template("文档知识库问答"))
      const [begun, first, second] = yield* drive(
        app,
        said("input_e1758", { user_input: "猫吃什么" }),
        said("input_e1758", { user_input: "狗吃什么" })
      )
      expect(told(begun)).toEqual(["input input_e1758", "Waiting"])
      expect(told(first)[0]).toMatch(
        /^streamed rag_896ca.output_user_input <用户问题：猫吃什么\n参考文本：\[guide.md\]\nabout 猫吃什么/
      )
      expect(told(first).slice(1)).toEqual(["input input_e1758", "Waiting"])
      expect(told(second)[0]).toContain("狗吃什么")
    })
  )

  it.effect("that talks with tools names those that are not here, and talks with the others", () =>
    Effect.gen(function* () {
      const data = template("多轮对话")
      const { reason } = yield* Effect.flip(build(data))
      for (const tool of ["sina_history_KLine", "sina_realtime_info", "bing_search"])
        expect(reason).toContain(`"${tool}"`)
      expect(reason).not.toContain("get_current_time")

      const known = JSON.stringify(data).replaceAll(/"(sina_\w+|bing_search)"/g, '"calculator"')
      const model = scriptedModel(says("您好"), says("再见"))
      const app = yield* build(JSON.parse(known), model.service)
      const [begun, first, second] = yield* drive(
        app,
        said("input_2775b", { user_input: "你好" }),
        said("input_2775b", { user_input: "好的" })
      )
      expect(told(begun)[0]).toBe(
        "guide 您好，请问想聊些什么呢？ 今天贵州茅台股价情况？|最近关于低空经济的政策"
      )
      expect(told(first)).toEqual(["streamed agent_1d0c8.output 您好", "input input_2775b", "Waiting"])
      expect(told(second)[0]).toBe("streamed agent_1d0c8.output 再见")
      expect(model.requests[1]?.messages.slice(1).map(({ content }) => content)).toEqual([
        "你好",
        "您好",
        "好的"
      ])
    })
  )

  it.effect("that compares models asks all three and shows them together", () =>
    Effect.gen(function* () {
      const [, answered] = yield* drive(
        yield* build(template("竞技场")),
        said("input_63765", { user_input: "你是谁" })
      )
      const shown = told(answered).find((line) => line.startsWith("output_msg")) ?? ""
      expect(shown.match(/<用户：你是谁你的回复：>/g)).toHaveLength(3)
      expect(answered?.lines.filter((line) => line === "> output_22366")).toHaveLength(1)
      expect(told(answered).slice(-2)).toEqual(["input input_63765", "Waiting"])
    })
  )

  it.effect(
    "that writes with a person lets them edit, asks for changes, and ends when they are content",
    () =>
      Effect.gen(function* () {
        const runs = yield* drive(
          yield* build(template("营销文案")),
          said("input_1936c", { user_input: "手机" }),
          said("output_7d6b6", { output_result: "我的亮点" }),
          said("output_20446", { output_result: "64f4c390" }),
          said("output_84247", { output_result: "更短" }),
          said("output_20446", { output_result: "9212bf1c" })
        )
        expect(told(runs[1]).at(-2)).toMatch(/^output_with_input_msg output_7d6b6/)
        const edited = runs[1]?.events.find((event) => event._tag === "NodeSaid")
        expect(edited?._tag === "NodeSaid" ? edited.message["input_msg"] : "").toMatch(/手机/)
        expect(told(runs[2])[0]).toMatch(/^streamed rag_2b974.*[\s\S]*我的亮点/)
        expect(told(runs[3])).toEqual(["output_with_input_msg output_84247 请输入您的润色建议：", "Waiting"])
        expect(told(runs[4])[0]).toMatch(/^streamed llm_c66fe.*[\s\S]*更短/)
        expect(told(runs[5])).toEqual(["Finished"])
        // What the three answers of the model have cost, though the run waited between them.
        expect(runs[5]?.events.at(-1)).toMatchObject({ usage: { promptTokens: 30, completionTokens: 9 } })
      })
  )

  it.effect("that sends patients to a department asks until it knows enough", () =>
    Effect.gen(function* () {
      const model = scriptedModel((request, sink) => {
        const prompt = lastPrompt(request)
        if (prompt.includes("推荐科室")) return says("内科")(request, sink)
        return says(prompt.includes("35岁") ? "信息完整" : "请问您的年龄？")(request, sink)
      })
      const app = yield* build(template("分诊"), model.service)
      const runs = yield* drive(
        app,
        said("input_5212f", { user_input: "男，咳嗽" }),
        said("input_5212f", { user_input: "35岁" })
      )
      expect(told(runs[1])).toEqual([
        "output_msg output_15b82 请问您的年龄？",
        "input input_5212f",
        "Waiting"
      ])
      expect(told(runs[2])).toEqual(["streamed llm_2cf38.output 内科", "Finished"])
      expect(lastPrompt(model.requests.at(-1) ?? { ...emptyRequest })).toContain(
        "Human: 男，咳嗽\nAI: 请问您的年龄？\nHuman: 35岁"
      )
    })
  )

  it.effect("that plays riddles gives hints until the answer is right", () =>
    Effect.gen(function* () {
      const model = scriptedModel((request, sink) => {
        const prompt = lastPrompt(request)
        if (prompt.startsWith("脑筋急转弯的类型")) return says("什么越洗越脏？")(request, sink)
        if (prompt.endsWith("提示：")) return says("想想液体")(request, sink)
        if (prompt.endsWith("判断结果："))
          return says(prompt.includes("用户输入：水") ? "正确" : "错误")(request, sink)
        return says("水")(request, sink)
      })
      const runs = yield* drive(
        yield* build(template("脑筋急转弯"), model.service),
        said("input_eb2b4", { category: "脑筋急转弯" }),
        said("output_71010", { output_result: "33000217" }),
        said("output_71010", { output_result: "4e04164f" }),
        said("output_d65e8", { output_result: "火" }),
        said("output_a5bee", { output_result: "05902883" }),
        said("output_d65e8", { output_result: "水" })
      )
      const form = runs[0]?.events.find((event) => event._tag === "NodeSaid")
      expect(form?._tag === "NodeSaid" ? form.message : null).toMatchObject({
        node_id: "input_eb2b4",
        name: "输入",
        input_schema: {
          key: "form_input",
          tab: "form_input",
          type: "form",
          value: [{ key: "category", type: "select", required: true }]
        }
      })
      expect(told(runs[1])).toEqual(["output_with_choose_msg output_71010 什么越洗越脏？", "Waiting"])
      expect(told(runs[3])).toEqual(["output_with_input_msg output_d65e8 请输入你猜想的答案", "Waiting"])
      expect(told(runs[4])[0]).toMatch(/^output_with_choose_msg output_a5bee 回答错误/)
      expect(told(runs[5])).toEqual([
        "streamed llm_f9069.output 想想液体",
        "output_with_input_msg output_d65e8 请输入你猜想的答案",
        "Waiting"
      ])
      expect(told(runs[6])).toEqual(["output_msg output_91d06 恭喜，答对啦~ 🎉", "Finished"])
    })
  )
})

const emptyRequest: ModelRequest = {
  model: null,
  temperature: null,
  messages: [],
  tools: [],
  scope: { flowId: "", userId: 0 }
}
