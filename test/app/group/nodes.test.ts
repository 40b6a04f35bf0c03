import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { describe } from "vitest"
import type { GraphFault } from "../../../src/app/skill/Graph.ts"
import type { NodeType, Workbench } from "../../../src/app/skill/NodeType.ts"
import { autoGenAssistant } from "../../../src/app/skill/nodes/autoGenAssistant.ts"
import { autoGenChain } from "../../../src/app/skill/nodes/autoGenChain.ts"
import { autoGenCoder } from "../../../src/app/skill/nodes/autoGenCoder.ts"
import { autoGenCustomRole } from "../../../src/app/skill/nodes/autoGenCustomRole.ts"
import { autoGenGroupChatManager } from "../../../src/app/skill/nodes/autoGenGroupChatManager.ts"
import { autoGenUser } from "../../../src/app/skill/nodes/autoGenUser.ts"
import type { Part } from "../../../src/app/skill/Part.ts"
import { buildSkill } from "../../../src/app/skill/Skill.ts"
import { DocumentFailed } from "../../../src/knowledge/Documents.ts"
import { edge, node, skillRecord } from "../graphs.ts"
import { says, scriptedModel } from "../scriptedModel.ts"
import { heardOf, question } from "./support.ts"

const none = () => Effect.fail(new DocumentFailed({ reason: "no documents here" }))

const scripted = scriptedModel(says("Ada"), says("Hello from Ada"), says("you"))

const bench: Workbench = {
  flowId: "f",
  model: scripted.service,
  library: { search: () => Effect.succeed([]) },
  documents: { load: none, fetch: none },
  retrieval: { index: () => Effect.succeed({ search: () => Effect.succeed([]) }) },
  tools: new Map(),
  values: { files: {}, variables: {} }
}

const model: Part = { _tag: "Model", name: "m", temperature: null, topP: 0.3, streaming: true }

const build = (
  nodeType: NodeType,
  type: string,
  fields: Readonly<Record<string, unknown>>,
  wires: Readonly<Record<string, ReadonlyArray<Part>>> = {}
): Effect.Effect<Part, GraphFault> => {
  const { data, id } = node(`${type}-1`, type, fields)
  return nodeType.build(
    { id, type, template: data.node.template, wires: new Map(Object.entries(wires)) },
    bench
  )
}

const user = (fields: Readonly<Record<string, unknown>> = {}) =>
  build(autoGenUser, "AutoGenUser", { name: "you", ...fields })

const assistant = (name: string) =>
  build(autoGenAssistant, "AutoGenAssistant", { name, system_message: `I am ${name}.` }, { llm: [model] })

const manager = (agents: ReadonlyArray<Part>, fields: Readonly<Record<string, unknown>> = {}) =>
  build(autoGenGroupChatManager, "AutoGenGroupChatManager", fields, { agents, llm: [model] })

const whyNot = (effect: Effect.Effect<Part, GraphFault>) =>
  Effect.map(Effect.either(effect), (built) => (Either.isLeft(built) ? built.left.reason : "built"))

describe("a group chat's graph", () => {
  it.effect("is built as the editor saves it, answers, and goes on from a state that was stored", () =>
    Effect.gen(function* () {
      const graph = {
        nodes: [
          node("chain", "AutoGenChain"),
          node("boss", "AutoGenGroupChatManager", { name: "boss", max_round: 8 }),
          node("user", "AutoGenUser", { name: "you", human_input_mode: "ALWAYS" }),
          node("ada", "AutoGenAssistant", { name: "Ada", system_message: "Be Ada." }),
          node("llm", "ChatOpenAI", { model_name: "m" })
        ],
        edges: [
          edge("user", "chain", "user_proxy_agent"),
          edge("boss", "chain", "recipient"),
          edge("user", "boss", "agents"),
          edge("ada", "boss", "agents"),
          edge("llm", "boss", "llm"),
          edge("llm", "ada", "llm")
        ]
      }
      const model = scriptedModel(says("Tea it is")).service
      const app = yield* buildSkill(skillRecord(graph), { ...bench, model })
      expect(app).toMatchObject({ kind: "skill", inputKey: "chat_topic" })
      const first = yield* heardOf(app.answer(question("Tea?")))
      expect(first.lines.slice(-2)).toEqual(["Ada to you (you): Tea it is", "Waiting"])
      const again = yield* buildSkill(skillRecord(graph), { ...bench, model })
      if (again.resume === undefined) return expect.fail("it can go on")
      const reply = { action: "continue" as const, body: "Green" }
      const second = yield* heardOf(again.resume.run(first.state, reply, question("Tea?")))
      expect(second.lines.slice(-2)).toEqual(["Ada to you (you): Tea it is", "Waiting"])
      expect(second.state).toMatchObject({
        talk: { said: [{ text: "Tea?" }, { text: "Tea it is" }, { text: "Green" }, { text: "Tea it is" }] }
      })
    })
  )

  it.effect("becomes a chain that answers and goes on", () =>
    Effect.gen(function* () {
      const you = yield* user({ human_input_mode: ["ALWAYS"], max_consecutive_auto_reply: "10" })
      const recipient = yield* manager([you, yield* assistant("Ada"), yield* assistant("Bob")], {
        max_round: "6"
      })
      const wires = { user_proxy_agent: [you], recipient: [recipient] }
      const chain = yield* build(autoGenChain, "AutoGenChain", {}, wires)
      if (chain._tag !== "Chain") return expect.fail("it is a chain")
      expect(chain).toMatchObject({ inputKey: "chat_topic", outputKey: "chat_content", takesQuestion: true })
      expect(chain.resume).toBeDefined()
      const { lines } = yield* heardOf(chain.answer(question("Hi")))
      expect(lines.slice(-2)).toEqual(["Ada to you (you): Hello from Ada", "Waiting"])
      expect(scripted.requests[1]).toMatchObject({ model: "m", topP: 0.3 })
    })
  )

  it.effect("may be a talk between two, and takes in the person who asks", () =>
    Effect.gen(function* () {
      const you = yield* user()
      const ada = yield* assistant("Ada")
      expect(
        yield* whyNot(build(autoGenChain, "AutoGenChain", {}, { user_proxy_agent: [you], recipient: [ada] }))
      ).toBe("built")
      const without = yield* manager([ada])
      expect(
        yield* whyNot(
          build(autoGenChain, "AutoGenChain", {}, { user_proxy_agent: [you], recipient: [without] })
        )
      ).toBe("built")
    })
  )

  it.effect("is refused with words where it cannot be", () =>
    Effect.gen(function* () {
      const you = yield* user()
      const ada = yield* assistant("Ada")
      const chain = (opener: Part, recipient: Part) =>
        whyNot(
          build(autoGenChain, "AutoGenChain", {}, { user_proxy_agent: [opener], recipient: [recipient] })
        )
      expect(yield* chain(ada, you)).toContain('"user_proxy_agent" takes a person')
      expect(yield* chain(you, you)).toContain("nobody can talk to themselves")
      expect(yield* chain(you, yield* user({ name: "me" }))).toContain("only people take part")
      expect(yield* chain(you, yield* manager([ada, yield* assistant("ADA")]))).toContain("two in this chat")
      expect(yield* whyNot(manager([]))).toContain('needs participants connected to "agents"')
      expect(yield* whyNot(manager(Array.from({ length: 17 }, () => ada)))).toContain("at most 16")
      expect(yield* whyNot(manager([ada], { max_round: 0 }))).toContain('"max_round" must be')
      expect(yield* whyNot(manager([yield* manager([ada])]))).toContain("cannot take part in another")
      expect(yield* whyNot(assistant(" "))).toContain("needs a name")
      expect(yield* whyNot(assistant("x".repeat(65)))).toContain("at most 64")
      expect(yield* whyNot(user({ human_input_mode: "SOMETIMES" }))).toContain("ALWAYS, TERMINATE or NEVER")
      expect(yield* whyNot(build(autoGenCustomRole, "AutoGenCustomRole", { name: "C" }))).toContain('"func"')
    })
  )

  it.effect("lacks what runs code, and says so before it is built", () =>
    Effect.gen(function* () {
      const template = node("AutoGenCoder-1", "AutoGenCoder", { name: "Coder" }).data.node.template
      const coder = { id: "AutoGenCoder-1", type: "AutoGenCoder", template }
      expect(autoGenCoder.lacks?.(coder)).toContain("this server runs none")
      expect(yield* whyNot(build(autoGenCoder, "AutoGenCoder", { name: "Coder" }))).toContain("runs none")
      const fields = { name: "Coder", llm: "" }
      expect(yield* whyNot(build(autoGenCoder, "AutoGenCoder", fields, { llm: [model] }))).toBe("built")
      const proxy = (flag: boolean) =>
        whyNot(build(autoGenUser, "AutoGenUserProxyAgent", { name: "p", code_execution_flag: flag }))
      expect(yield* proxy(true)).toContain("runs none")
      expect(yield* proxy(false)).toBe("built")
    })
  )

  it.effect("takes the model from the role itself where none is connected, as older graphs do", () =>
    Effect.gen(function* () {
      const part = yield* build(autoGenAssistant, "AutoGenAssistant", {
        name: "Ada",
        model_name: "old",
        temperature: "0.2"
      })
      expect(part).toMatchObject({ model: { name: "old", temperature: 0.2 } })
    })
  )
})
