import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { describe } from "vitest"
import { named } from "../../../src/app/group/choose.ts"
import { maxTranscript } from "../../../src/app/group/Talk.ts"
import { roundOver } from "../../../src/app/group/words.ts"
import { ModelError } from "../../../src/model/LanguageModel.ts"
import { Deltas, type OnStop, silent } from "../../../src/protocol/RunEvent.ts"
import { asksFor, says, scriptedModel, type Turn } from "../scriptedModel.ts"
import { assistant, castOf, groupOf, heardOf, person, question } from "./support.ts"

const you = person("you")
const ada = assistant("Ada")
const bob = assistant("Bob")
const reply = (body: unknown, action: "continue" | "input" = "continue") => ({ action, body })
const breaks: Turn = () => Effect.fail(new ModelError({ kind: "refused", reason: "out of order" }))

describe("a group chat with a manager", () => {
  it.effect("gives the word to whom the manager names, and waits when that is the person", () =>
    Effect.gen(function* () {
      const model = scriptedModel(
        says("Bob"),
        says("Bob speaks"),
        says('"Ada".'),
        says("Ada speaks"),
        says("you, please")
      )
      const { lines, state } = yield* heardOf(
        groupOf(castOf([you, ada, bob]), model).answer(question("Tea?"))
      )
      expect(lines).toEqual([
        "text Bob ",
        "text speaks",
        "Bob to Ada: Bob speaks",
        "text Ada ",
        "text speaks",
        "Ada to you (you): Ada speaks",
        "Waiting"
      ])
      expect(state).toMatchObject({ version: 1, waits: "you", over: false })
    })
  )

  it.effect("goes on after the person has replied, or has nothing to add", () =>
    Effect.gen(function* () {
      const model = scriptedModel(
        says("Ada"),
        says("Ada asks"),
        says("you"),
        says("Bob"),
        says("Bob answers"),
        says("you"),
        says("Ada"),
        says("All is said. TERMINATE")
      )
      const group = groupOf(castOf([you, ada, bob]), model)
      const first = yield* heardOf(group.answer(question("Tea?")))
      const second = yield* heardOf(group.resume.run(first.state, reply("Green, please"), question("Tea?")))
      expect(second.lines).toEqual(["text Bob ", "text answers", "Bob to you (you): Bob answers", "Waiting"])
      expect(model.requests[4]?.messages).toEqual([
        {
          role: "system",
          content:
            "I am Bob.\n\nYou are Bob in a group chat. The others are:\n- you: a person\n- Ada: I am Ada.\n" +
            "A message that begins with a name is theirs. Speak for yourself only, and do not begin with your name."
        },
        { role: "user", content: "Tea?\n\nAda: Ada asks\n\nGreen, please" }
      ])
      const third = yield* heardOf(group.resume.run(second.state, reply(""), question("Tea?")))
      expect(third.lines.slice(-3)).toEqual([
        "Ada to all: All is said. TERMINATE",
        roundOver,
        // Eight turns of the model, those of the manager among them.
        "finished 80/24"
      ])
    })
  )

  it.effect("takes turns where the manager names nobody, or several, or nobody leads", () =>
    Effect.gen(function* () {
      for (const answer of ["whoever likes", "you, Ada or Bob", ""]) {
        const speaker: Turn = (request, sink) =>
          request.messages[0]?.content === "Lead." ? says(answer)(request, sink) : says("Hm")(request, sink)
        const { lines } = yield* heardOf(
          groupOf(castOf([you, ada, bob]), scriptedModel(speaker)).answer(question("Tea?"))
        )
        expect(lines).toEqual(["text Hm", "Ada to Bob: Hm", "text Hm", "Bob to you (you): Hm", "Waiting"])
      }
      const led = castOf([you, ada, bob], { manager: null })
      const { lines } = yield* heardOf(groupOf(led, scriptedModel(says("Hm"))).answer(question("Tea?")))
      expect(lines.filter((line) => line.includes(" to "))).toEqual([
        "Ada to Bob: Hm",
        "Bob to you (you): Hm"
      ])
    })
  )

  it.effect("ends a round that is long enough", () =>
    Effect.gen(function* () {
      const cast = castOf([person("you", "never"), ada, bob], { maxRounds: 4 })
      const { lines } = yield* heardOf(groupOf(cast, scriptedModel(says("Hm"))).answer(question("Tea?")))
      expect(lines.filter((line) => !line.startsWith("text"))).toEqual([
        "Ada to Bob: Hm",
        "Bob to Ada: Hm",
        "Ada to all: Hm",
        roundOver,
        // The first speaker is chosen by the manager; then there is always only one other.
        "finished 40/12"
      ])
    })
  )

  it.effect("asks the person at the end of a round who is not to be asked within one", () =>
    Effect.gen(function* () {
      const cast = castOf([person("you", "terminate"), ada, bob], { maxRounds: 2 })
      const group = groupOf(cast, scriptedModel(says("Hm")))
      const { lines, state } = yield* heardOf(group.answer(question("Tea?")))
      expect(lines).toEqual(["text Hm", "Ada to you (you): Hm", "Waiting"])
      expect(state).toMatchObject({ over: true })
      const more = yield* heardOf(group.resume.run(state, reply({ input: "More" }), question("Tea?")))
      expect(more.lines).toEqual(["text Hm", "Ada to you (you): Hm", "Waiting"])
      const enough = yield* heardOf(group.resume.run(more.state, reply(""), question("Tea?")))
      expect(enough.lines[0]).toBe(roundOver)
    })
  )

  it.effect("ends at the person's word", () =>
    Effect.gen(function* () {
      const group = groupOf(castOf([you, ada], { manager: null }), scriptedModel(says("Hm")))
      const { state } = yield* heardOf(group.answer(question("Tea?")))
      for (const word of ["exit", " TERMINATE "]) {
        const { lines } = yield* heardOf(group.resume.run(state, reply(word), question("Tea?")))
        expect(lines).toEqual([roundOver, "finished 10/3"])
      }
    })
  )

  it.effect("lets participants use their tools, and chains take part", () =>
    Effect.gen(function* () {
      const clock = {
        spec: { name: "clock", description: "", parameters: {} },
        category: "tool" as const,
        run: () => Effect.succeed({ output: "noon", passages: [] })
      }
      const echo = assistant("Echo", {
        model: null,
        chain: {
          _tag: "Chain",
          nodeId: "c",
          inputKey: "input",
          outputKey: "text",
          takesQuestion: true,
          preset: [],
          answer: ({ text }) =>
            Stream.make({
              _tag: "Answered" as const,
              text: `${text}!`,
              source: 0,
              passages: [],
              usage: { promptTokens: 1, completionTokens: 1 }
            })
        }
      })
      const cast = castOf([person("you", "never"), assistant("Ada", { tools: [clock] }), echo], {
        manager: null,
        maxRounds: 3
      })
      const { lines } = yield* heardOf(
        groupOf(cast, scriptedModel(asksFor(["clock", {}]), says("It is noon"))).answer(question("When?"))
      )
      expect(lines).toEqual([
        "tool clock {}",
        "brought noon",
        "text It ",
        "text is ",
        "text noon",
        "Ada to Echo: It is noon",
        "Echo to all: It is noon!",
        roundOver,
        expect.stringContaining("finished")
      ])
    })
  )

  it.effect("knows what was said in earlier rounds of the conversation", () =>
    Effect.gen(function* () {
      const model = scriptedModel(says("Hm"))
      const history = [
        { role: "user" as const, content: "Long ago ".repeat(4_000) },
        { role: "user" as const, content: "Before?" },
        { role: "assistant" as const, content: "One.", toolCalls: [] },
        { role: "assistant" as const, content: "Two.", toolCalls: [] }
      ]
      yield* heardOf(groupOf(castOf([you, ada], { manager: null }), model).answer(question("Now?", history)))
      expect(model.requests[0]?.messages).toEqual([
        { role: "system", content: "I am Ada." },
        { role: "user", content: "Before?" },
        { role: "assistant", content: "One.\n\nTwo.", toolCalls: [] },
        { role: "user", content: "Now?" }
      ])
    })
  )
})

describe("a group chat in trouble", () => {
  it.effect("fails when a participant's model does", () =>
    Effect.gen(function* () {
      const { lines } = yield* heardOf(
        groupOf(castOf([you, ada], { manager: null }), scriptedModel(breaks)).answer(question("Tea?"))
      )
      expect(lines).toEqual(["skill failed: out of order"])
    })
  )

  it.effect("keeps what was said when the manager's model fails after it", () =>
    Effect.gen(function* () {
      const model = scriptedModel(says("Ada"), says("Ada speaks"), breaks)
      const { lines } = yield* heardOf(groupOf(castOf([you, ada, bob]), model).answer(question("Tea?")))
      expect(lines.slice(-2)).toEqual(["Ada to all: Ada speaks", "skill failed: out of order"])
    })
  )

  it.effect("leaves what was said to be told when it is stopped before the next one speaks", () =>
    Effect.gen(function* () {
      const choosing = yield* Deferred.make<void>()
      const holds: Turn = () => Effect.zipRight(Deferred.succeed(choosing, undefined), Effect.never)
      const model = scriptedModel(says("Ada"), says("Ada speaks"), holds)
      const last: Array<OnStop> = []
      const running = yield* Stream.runForEach(
        groupOf(castOf([you, ada, bob]), model).answer(question("Tea?")),
        (event) => Effect.sync(() => event._tag === "OnStop" && last.push(event))
      ).pipe(Effect.provideService(Deltas, silent), Effect.fork)
      yield* Deferred.await(choosing)
      yield* Fiber.interrupt(running)
      const told = yield* Stream.runCollect(last.at(-1)?.events ?? Stream.empty)
      expect([...told]).toEqual([{ _tag: "Utterance", text: "Ada speaks", sender: "Ada", receiver: null }])
    })
  )

  it.effect("takes no other reply than a text", () =>
    Effect.gen(function* () {
      const { resume, answer } = groupOf(castOf([you, ada], { manager: null }), scriptedModel(says("Hm")))
      const { state } = yield* heardOf(answer(question("Tea?")))
      expect(resume.accept(state, reply("Yes"))).toEqual(Either.right({ text: "Yes" }))
      expect(resume.accept(state, reply({ input: "Yes" }))).toEqual(Either.right({ text: "Yes" }))
      expect(resume.accept(state, reply(undefined))).toEqual(Either.right({ text: "" }))
      for (const bad of [reply(5), reply({ data: {} }), reply(["Yes"]), reply("Yes", "input")]) {
        expect(Either.getLeft(resume.accept(state, bad))).toMatchObject({
          value: expect.stringContaining("answered by")
        })
      }
      expect(Either.isLeft(resume.accept({ version: 2 }, reply("Yes")))).toBe(true)
    })
  )

  it.effect("says so when what it waited with is of another version", () =>
    Effect.gen(function* () {
      const { resume } = groupOf(castOf([you, ada]), scriptedModel(says("Hm")))
      const { lines } = yield* heardOf(resume.run({ version: 2 }, reply("Yes"), question("Tea?")))
      expect(lines).toEqual([expect.stringContaining("another version of the server")])
    })
  )

  it.effect("keeps the question and the latest words of a long talk", () =>
    Effect.gen(function* () {
      const cast = castOf([person("you", "never"), ada, bob], { manager: null, maxRounds: 12 })
      const model = scriptedModel(says("x".repeat(15_000)))
      yield* heardOf(groupOf(cast, model).answer(question("Tea?")))
      const last = model.requests.at(-1)?.messages ?? []
      const length = last.reduce((sum, { content }) => sum + content.length, 0)
      expect(length).toBeGreaterThan(maxTranscript / 2)
      expect(length).toBeLessThan(maxTranscript + 1_000)
      expect(last.find(({ role }) => role === "user")?.content).toMatch(/^Tea\?/)
    })
  )
})

describe("a manager's reply", () => {
  it.each([
    ["Ada", "Ada"],
    ["**ada**", "Ada"],
    ["The next speaker is Ada Lovelace.", "Ada Lovelace"],
    ["Adam", null],
    ["Ada, then Bob", null],
    ["下一位是小明。", "小明"],
    ["", null]
  ])("%j names %s", (text, name) => {
    const candidates = [ada, assistant("Ada Lovelace"), bob, assistant("小明"), assistant("A.*")]
    expect(named(text, candidates)?.name ?? null).toBe(name)
  })
})
