import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import {
  Deltas,
  type NodeEnded,
  type NodeSaid,
  type NodeStreamed,
  silent
} from "../../../src/protocol/RunEvent.ts"
import { asksFor, says, scriptedModel } from "../scriptedModel.ts"
import {
  asking,
  build,
  choosing,
  dialogue,
  end,
  form,
  graph,
  llm,
  output,
  page,
  type Ran,
  resume,
  run,
  said,
  start
} from "./support.ts"

const nodeSaid = (ran: Ran): ReadonlyArray<NodeSaid> =>
  ran.events.filter((event) => event._tag === "NodeSaid")
const streamed = (ran: Ran): ReadonlyArray<NodeStreamed> =>
  ran.events.filter((event) => event._tag === "NodeStreamed")
const ended = (ran: Ran): ReadonlyArray<NodeEnded> => ran.events.filter((event) => event._tag === "NodeEnded")

describe("A workflow", () => {
  it.effect("greets, asks, and answers from what it was told", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [
            start({ guide_word: "hello", guide_question: ["a", ""] }),
            dialogue("input_1"),
            llm("llm_1", "say {{#input_1.user_input#}}", true),
            end
          ],
          [
            ["start_1", "input_1"],
            ["input_1", "llm_1"],
            ["llm_1", "end_1"]
          ]
        )
      )
      const asked = yield* run(app)
      expect(asked.lines).toEqual(["> start_1", "guide hello a", "< start_1", "input input_1", "Waiting"])
      expect(nodeSaid(asked)[0]?.message).toEqual({
        node_id: "input_1",
        name: "input_1",
        input_schema: {
          key: "user_input",
          tab: "dialog_input",
          type: "",
          label: "",
          help: "",
          placeholder: "",
          required: false,
          options: null,
          value: [
            expect.objectContaining({ key: "dialog_files_content", tab: "dialog_input" }),
            expect.objectContaining({ key: "dialog_file_accept", value: "all" })
          ]
        }
      })
      const answered = yield* resume(app, asked.state, said("input_1", { user_input: "hi you" }))
      expect(answered.lines).toEqual([
        "> input_1",
        "< input_1",
        "> llm_1",
        "llm_1 text <say ",
        "llm_1 text hi ",
        "llm_1 text you>",
        "streamed llm_1.output <say hi you>",
        "< llm_1",
        "> end_1",
        "< end_1",
        "Finished"
      ])
      expect(answered.events.at(-1)).toEqual({
        _tag: "Finished",
        usage: { promptTokens: 10, completionTokens: 3 }
      })
    })
  )

  it.effect("draws three of many questions to begin with", () =>
    Effect.gen(function* () {
      const all = ["a", "b", "c", "d", "e"]
      const app = yield* build(graph([start({ guide_question: all }), end], [["start_1", "end_1"]]))
      const guide = (yield* run(app)).events.find((event) => event._tag === "Guide")
      expect(guide?.questions).toHaveLength(3)
      expect(all).toEqual(expect.arrayContaining([...(guide?.questions ?? [])]))
    })
  )

  it.effect("says nothing of what a silent node makes", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [start(), llm("llm_1", "x"), output("output_1", "it is {{#llm_1.output#}}{{#llm_1.nothing#}}")],
          [
            ["start_1", "llm_1"],
            ["llm_1", "output_1"]
          ]
        )
      )
      const ran = yield* run(app)
      expect(ran.lines).toEqual([
        "> start_1",
        "< start_1",
        "> llm_1",
        "< llm_1",
        "> output_1",
        "output_msg output_1 it is <x>",
        "< output_1",
        "Finished"
      ])
      expect(ended(ran).at(-1)?.logData).toContainEqual([
        { key: "llm_1.nothing", value: "this variable has no value", type: "params" }
      ])
      expect(ended(ran).at(-1)?.inputData).toEqual({ "llm_1.output": "<x>", "llm_1.nothing": null })
    })
  )

  it.effect("runs branches at the same time, and a node that they lead to once, after all of them", () =>
    Effect.gen(function* () {
      const both = yield* Effect.makeLatch()
      let running = 0
      const model = scriptedModel((request, sink) =>
        Effect.gen(function* () {
          running += 1
          if (running === 2) yield* both.open
          yield* both.await
          return yield* says(`<${request.messages.at(-1)?.content}>`)(request, sink)
        })
      )
      const app = yield* build(
        graph(
          [
            start(),
            llm("llm_1", "one"),
            llm("llm_2", "two"),
            llm("llm_3", "three"),
            output("output_1", "{{#llm_3.output#}} {{#llm_2.output#}}")
          ],
          [
            ["start_1", "llm_1"],
            ["start_1", "llm_2"],
            ["llm_1", "llm_3"],
            ["llm_3", "output_1"],
            ["llm_2", "output_1"]
          ]
        ),
        model.service
      )
      const ran = yield* run(app)
      expect(ran.lines.filter((line) => line === "> output_1")).toHaveLength(1)
      expect(nodeSaid(ran)[0]?.message["msg"]).toBe("<three> <two>")
    })
  )

  it.effect("does not wait for a branch that a condition has left", () =>
    Effect.gen(function* () {
      const condition = {
        id: "condition_1",
        type: "condition",
        params: {
          condition: [
            {
              id: "yes",
              operator: "and",
              conditions: [
                {
                  id: "c",
                  left_var: "start_1.preset_question#q",
                  comparison_operation: "equals",
                  right_value_type: "input",
                  right_value: "go"
                }
              ]
            }
          ]
        }
      }
      const app = yield* build(
        graph(
          [
            start({ preset_question: [{ key: "q", value: "go" }] }),
            condition,
            llm("llm_1", "yes"),
            llm("llm_2", "no"),
            output("output_1", "{{#llm_1.output#}}{{#llm_2.output#}}")
          ],
          [
            ["start_1", "condition_1"],
            ["condition_1", "llm_1", "yes"],
            ["condition_1", "llm_2"],
            ["llm_1", "output_1"],
            ["llm_2", "output_1"]
          ]
        )
      )
      expect(nodeSaid(yield* run(app))[0]?.message["msg"]).toBe("<yes>")
    })
  )

  it.effect("tells what it asks, and goes on by the choice", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [
            start(),
            choosing("output_1", "which?", "a", "b"),
            output("output_2", "you chose {{#output_1.output_result#}}"),
            end
          ],
          [
            ["start_1", "output_1"],
            ["output_1", "output_2", "a"],
            ["output_1", "end_1", "b"]
          ]
        )
      )
      const asked = yield* run(app)
      expect(asked.lines.slice(2)).toEqual([
        "> output_1",
        "output_with_choose_msg output_1 which?",
        "< output_1",
        "Waiting"
      ])
      expect(nodeSaid(asked)[0]?.message).toMatchObject({
        key: "output_result",
        output_key: "",
        options: [
          { id: "a", label: "A" },
          { id: "b", label: "B" }
        ]
      })
      const accepted = app.resume?.accept(asked.state, {
        action: "input",
        body: said("output_1", { output_result: "a" })
      })
      expect(accepted).toMatchObject({ _tag: "Right", right: { text: "A" } })
      const chosen = yield* resume(app, asked.state, said("output_1", { output_result: "a" }))
      expect(chosen.lines).toEqual([
        "> output_2",
        "output_msg output_2 you chose a",
        "< output_2",
        "Finished"
      ])
      const other = yield* resume(app, asked.state, said("output_1", { output_result: "b" }))
      expect(other.lines).toEqual(["> end_1", "< end_1", "Finished"])
    })
  )

  it.effect("goes on with the branch that was answered, and leaves the others waiting", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [
            start(),
            dialogue("input_1"),
            asking("output_1", "your name?"),
            output("output_2", "{{#input_1.user_input#}}, {{#output_1.output_result#}}!")
          ],
          [
            ["start_1", "input_1"],
            ["start_1", "output_1"],
            ["input_1", "output_2"],
            ["output_1", "output_2"]
          ]
        )
      )
      const asked = yield* run(app)
      expect(asked.lines.at(-1)).toBe("Waiting")
      expect(
        nodeSaid(asked)
          .map(({ category }) => category)
          .sort()
      ).toEqual(["input", "output_with_input_msg"])
      const one = yield* resume(app, asked.state, said("input_1", { user_input: "hello" }))
      expect(one.lines).toEqual(["> input_1", "< input_1", "Waiting"])
      const two = yield* resume(app, one.state, said("output_1", { output_result: "Ann" }))
      expect(two.lines).toEqual(["> output_2", "output_msg output_2 hello, Ann!", "< output_2", "Finished"])
    })
  )

  it.effect("lets other branches finish while one waits", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [start(), dialogue("input_1"), llm("llm_1", "x"), output("output_1", "done")],
          [
            ["start_1", "input_1"],
            ["start_1", "llm_1"],
            ["llm_1", "output_1"]
          ]
        )
      )
      const asked = yield* run(app)
      expect(asked.lines.slice(-4)).toEqual([
        "> output_1",
        "output_msg output_1 done",
        "< output_1",
        "Waiting"
      ])
    })
  )

  it.effect("ends a loop without a way out with the error of its node", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [start(), llm("llm_1", "a"), llm("llm_2", "b")],
          [
            ["start_1", "llm_1"],
            ["llm_1", "llm_2"],
            ["llm_2", "llm_1"]
          ]
        )
      )
      const ran = yield* run(app)
      expect(ran.error?.reason).toMatch(/"llm_1" has run 50 times/)
      expect(ran.lines.filter((line) => line === "> llm_1")).toHaveLength(50)
    })
  )

  it.effect("knows the conversation before it and its own", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [
            start({ chat_history: 10 }),
            dialogue("input_1"),
            output("output_1", "[{{#start_1.chat_history#}}]"),
            llm("llm_1", "x")
          ],
          [
            ["start_1", "input_1"],
            ["input_1", "output_1"],
            ["output_1", "input_1"],
            ["input_1", "llm_1"]
          ]
        )
      )
      const ask = {
        history: [
          { role: "user", content: "before" } as const,
          { role: "assistant", content: "yes", toolCalls: [] } as const
        ]
      }
      const asked = yield* run(app, ask)
      const ran = yield* resume(app, asked.state, said("input_1", { user_input: "now" }), ask)
      expect(nodeSaid(ran)[0]?.message["msg"]).toBe("[Human: before\nAI: yes\nHuman: now]")
    })
  )

  it.effect("runs a batch once for each of its variables", () =>
    Effect.gen(function* () {
      const batch = {
        id: "llm_1",
        type: "llm",
        tab: { value: "batch" },
        params: {
          batch_variable: ["start_1.preset_question#a", "start_1.preset_question#b"],
          output: [
            { key: "first", label: "first" },
            { key: "second", label: "second" }
          ],
          user_prompt: "about {{#llm_1.batch_variable#}}",
          output_user: true
        }
      }
      const app = yield* build(
        graph(
          [
            start({
              preset_question: [
                { key: "a", value: "apples" },
                { key: "b", value: "pears" }
              ]
            }),
            batch,
            output("output_1", "{{#llm_1.second#}}, {{#llm_1.first#}}")
          ],
          [
            ["start_1", "llm_1"],
            ["llm_1", "output_1"]
          ]
        )
      )
      const ran = yield* run(app)
      expect(
        streamed(ran)
          .map(({ outputKey, text }) => [outputKey, text])
          .sort()
      ).toEqual([
        ["first", "<about apples>"],
        ["second", "<about pears>"]
      ])
      expect(nodeSaid(ran)[0]?.message["msg"]).toBe("<about pears>, <about apples>")
    })
  )

  it.effect("answers from passages, and says which", () =>
    Effect.gen(function* () {
      const rag = {
        id: "rag_1",
        type: "rag",
        params: {
          user_question: ["input_1.user_input"],
          knowledge: { type: "knowledge", value: [] },
          user_prompt: "{{#rag_1.user_question#}} from {{#rag_1.retrieved_result#}}",
          output_user: true,
          output_user_input: [{ key: "answer", label: "answer" }]
        }
      }
      const app = yield* build(
        graph(
          [start(), dialogue("input_1"), rag],
          [
            ["start_1", "input_1"],
            ["input_1", "rag_1"]
          ]
        )
      )
      const ran = yield* resume(app, (yield* run(app)).state, said("input_1", { user_input: "cats" }))
      expect(streamed(ran)[0]).toMatchObject({
        outputKey: "answer",
        text: "<cats from [guide.md]\nabout cats>",
        source: 1,
        passages: [page("about cats")]
      })
    })
  )

  it.effect("searches the files that came with an answer, and tells retrievers' sources", () =>
    Effect.gen(function* () {
      const retriever = {
        id: "knowledge_retriever_1",
        type: "knowledge_retriever",
        params: {
          user_question: ["input_1.ask"],
          knowledge: { type: "tmp", value: [{ key: "input_1.doc", label: "doc" }] },
          retrieved_result: [{ key: "found", label: "found" }]
        }
      }
      const items = [
        { key: "ask", type: "text", value: "Question", required: true },
        {
          key: "doc",
          type: "file",
          value: "File",
          required: true,
          file_content: "doc_text",
          file_path: "doc_path",
          image_file: "doc_image"
        }
      ]
      const app = yield* build(
        graph(
          [
            start(),
            form("input_1", items),
            retriever,
            output("output_1", "{{#knowledge_retriever_1.found#}}"),
            output("output_2", "{{#input_1.doc_text#}}")
          ],
          [
            ["start_1", "input_1"],
            ["input_1", "knowledge_retriever_1"],
            ["knowledge_retriever_1", "output_1"],
            ["output_1", "output_2"]
          ]
        )
      )
      const file = "ab".repeat(16)
      const ran = yield* resume(
        app,
        (yield* run(app)).state,
        said("input_1", { ask: "what?", doc: [`/files/${file}?t=1`] })
      )
      expect(nodeSaid(ran)[0]?.passages.map(({ text }) => text)).toEqual(["text of ab"])
      expect(nodeSaid(ran)[1]?.message["msg"]).toBe(
        "[file name]: ab.txt\n[file content begin]\ntext of ab\n[file content end]\n"
      )
    })
  )

  it.effect("lets an agent use tools, and logs them", () =>
    Effect.gen(function* () {
      const model = scriptedModel(asksFor(["calculator", { expression: "6*7" }]), says("42"))
      const agent = {
        id: "agent_1",
        type: "agent",
        tab: { value: "single" },
        params: {
          user_prompt: "count",
          tool_list: [
            { key: 1, label: "time", tool_key: "get_current_time" },
            { key: 2, label: "sums", tool_key: "calculator" }
          ],
          output_user: true,
          chat_history_flag: { flag: true, value: 50 }
        }
      }
      const app = yield* build(graph([start(), agent], [["start_1", "agent_1"]]), model.service)
      const ran = yield* run(app, {
        history: [
          { role: "user", content: "hi" },
          { role: "assistant", content: "hello", toolCalls: [] }
        ]
      })
      expect(streamed(ran)[0]).toMatchObject({ text: "42", outputKey: "output" })
      expect(JSON.stringify(ended(ran).at(-1)?.logData)).toContain("6*7")
      expect(model.requests[0]?.messages.map(({ content }) => content)).toEqual(["hi", "hello", "count"])
      expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(["current_time", "calculator"])
    })
  )

  it.effect("lets an agent search the files that came with an answer, item by item of a batch", () =>
    Effect.gen(function* () {
      const model = scriptedModel((request, sink) =>
        request.messages.at(-1)?.role === "tool"
          ? says("found")(request, sink)
          : asksFor(["search_given_files", { query: "what" }])(request, sink)
      )
      const agent = {
        id: "agent_1",
        type: "agent",
        tab: { value: "batch" },
        params: {
          batch_variable: ["start_1.preset_question#a", "start_1.preset_question#b"],
          output: [{ key: "one" }, { key: "two" }],
          user_prompt: "find {{#agent_1.batch_variable#}}",
          knowledge_id: { type: "tmp", value: [{ key: "input_1.dialog_files" }] },
          output_user: true
        }
      }
      const app = yield* build(
        graph(
          [
            start({
              preset_question: [
                { key: "a", value: "A" },
                { key: "b", value: "B" }
              ]
            }),
            dialogue("input_1"),
            agent
          ],
          [
            ["start_1", "input_1"],
            ["input_1", "agent_1"]
          ]
        ),
        model.service
      )
      const reply = said("input_1", { user_input: "here", dialog_files_content: ["cd".repeat(16)] })
      const ran = yield* resume(app, (yield* run(app)).state, reply)
      expect(
        streamed(ran)
          .map(({ outputKey, passages }) => [outputKey, passages.map(({ text }) => text)])
          .sort()
      ).toEqual([
        ["one", ["text of cd"]],
        ["two", ["text of cd"]]
      ])
      expect(model.requests.map(({ messages }) => messages[0]?.content)).toEqual(
        expect.arrayContaining(["find A", "find B"])
      )
    })
  )

  it.effect("tells the source of what a retriever has found, where it is shown", () =>
    Effect.gen(function* () {
      const qa = {
        id: "qa_retriever_1",
        type: "qa_retriever",
        params: { user_question: "start_1.preset_question#q", score: 0.8 }
      }
      const app = yield* build(
        graph(
          [
            start({ preset_question: [{ key: "q", value: "cats" }] }),
            qa,
            output("output_1", "{{#qa_retriever_1.retrieved_result#}}"),
            output("output_2", "bye")
          ],
          [
            ["start_1", "qa_retriever_1"],
            ["qa_retriever_1", "output_1"],
            ["output_1", "output_2"]
          ]
        )
      )
      expect(nodeSaid(yield* run(app))).toMatchObject([
        { message: { msg: "about cats" }, source: 1, passages: [page("about cats")] },
        { message: { msg: "bye" }, source: 0, passages: [] }
      ])
    })
  )

  it.effect("fails in words where a tool does", () =>
    Effect.gen(function* () {
      const tool = { id: "tool_1", type: "tool", tool_key: "calculator", params: { expression: "2+" } }
      const ran = yield* run(yield* build(graph([start(), tool], [["start_1", "tool_1"]])))
      expect(ran.error?.reason).toMatch(/^node "tool_1": ./)
      expect(ran.lines.at(-1)).toMatch(/^< tool_1: ./)
    })
  )

  it.effect("calls a tool with what the graph writes", () =>
    Effect.gen(function* () {
      const tool = {
        id: "tool_1",
        type: "tool",
        tool_key: "calculator",
        params: { expression: "2+{{#start_1.preset_question#n#}}", output: "" }
      }
      const app = yield* build(
        graph(
          [
            start({ preset_question: [{ key: "n", value: "3" }] }),
            tool,
            output("output_1", "{{#tool_1.output#}}")
          ],
          [
            ["start_1", "tool_1"],
            ["tool_1", "output_1"]
          ]
        )
      )
      expect(String(nodeSaid(yield* run(app))[0]?.message["msg"])).toContain("5")
    })
  )

  it.effect("makes a report of its variables", () =>
    Effect.gen(function* () {
      const made: Array<unknown> = []
      const report = {
        id: "report_1",
        type: "report",
        params: { report_info: { version_key: "tpl_99", file_name: "Result" } }
      }
      const app = yield* build(
        graph(
          [start(), llm("llm_1", "x"), report],
          [
            ["start_1", "llm_1"],
            ["llm_1", "report_1"]
          ]
        ),
        undefined,
        {
          report: {
            make: (request) =>
              Effect.sync(() => {
                made.push({
                  key: request.templateKey,
                  name: request.fileName,
                  value: request.values["llm_1.output"],
                  sections: request.sections
                })
                return { name: request.fileName, url: "/files/1", unfilled: ["who"] }
              })
          }
        }
      )
      const ran = yield* run(app)
      expect(made).toEqual([
        { key: "tpl", name: "Result.docx", value: "<x>", sections: [{ title: "llm_1", text: "<x>" }] }
      ])
      expect(nodeSaid(ran)[0]).toMatchObject({
        category: "output_msg",
        message: { msg: "", unfilled: ["who"] },
        files: [{ path: "/files/1", name: "Result.docx" }]
      })
    })
  )

  it.effect("fails with the words of the node that failed, and ends what ran beside it", () =>
    Effect.gen(function* () {
      const model = scriptedModel((request, sink) =>
        request.messages.at(-1)?.content === "bad" ? says("")(request, sink) : Effect.never
      )
      const app = yield* build(
        graph(
          [start(), llm("llm_1", "good"), llm("llm_2", "bad")],
          [
            ["start_1", "llm_1"],
            ["start_1", "llm_2"]
          ]
        ),
        model.service
      )
      const ran = yield* run(app)
      expect(ran.error).toMatchObject({ kind: "workflow", reason: 'node "llm_2": the model gave no answer' })
      expect(ran.lines.slice(-2)).toEqual([
        "< llm_2: the model gave no answer",
        "< llm_1: interrupted: the run has failed"
      ])
    })
  )

  it.effect("tells in words of a file that cannot be read", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [start(), dialogue("input_1"), end],
          [
            ["start_1", "input_1"],
            ["input_1", "end_1"]
          ]
        )
      )
      const { state } = yield* run(app)
      const ran = yield* resume(
        app,
        state,
        said("input_1", { user_input: "", dialog_files_content: ["0".repeat(32)] })
      )
      expect(ran.error?.reason).toBe('node "input_1": the file is encrypted')
    })
  )

  it.effect("ends the model's work at once when it is stopped", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const model = scriptedModel(() =>
        Deferred.succeed(started, undefined).pipe(
          Effect.zipRight(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
        )
      )
      const app = yield* build(
        graph([start(), llm("llm_1", "x", true)], [["start_1", "llm_1"]]),
        model.service
      )
      const fiber = yield* app
        .answer({ text: "", inputs: {}, userId: 7, history: [] })
        .pipe(Stream.runDrain, Effect.provideService(Deltas, silent), Effect.fork)
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      expect(yield* Deferred.isDone(stopped)).toBe(true)
    })
  )

  it.effect("refuses to wait with more than it may remember", () =>
    Effect.gen(function* () {
      const app = yield* build(
        graph(
          [start({ preset_question: [{ key: "a", value: "x".repeat(1_100_000) }] }), dialogue("input_1")],
          [["start_1", "input_1"]]
        )
      )
      expect((yield* run(app)).error?.reason).toMatch(/limit 1048576/)
    })
  )
})
