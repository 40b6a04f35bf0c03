import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { flowIds } from "../support/apps.ts"
import { isClose, streamed, type TestClient, type WireFrame } from "../support/client.ts"
import { startServer } from "../support/server.ts"
import { isShort } from "../support/shortFrames.ts"
import { waitingApps, workflowId } from "../support/waitingApps.ts"

const brief = "&native=1&brief=1"
const ask = (input: string, more: Record<string, unknown> = {}) => ({ inputs: { input }, ...more })
const isStream = ({ type }: WireFrame) => type === "stream"
const isSession = ({ category, type }: WireFrame) => type === "info" && category === "session"

const shortOf = ({ texts }: TestClient) => texts.filter(isShort)
const numberedOf = ({ frames }: TestClient) => frames.filter(({ seq }) => seq !== undefined)
/** Frames without what only this socket has. */
const common = (client: TestClient) => numberedOf(client).map(({ ref: _, ...frame }) => frame)

describe("a socket that asks for short frames", () => {
  it.scopedLive("gets them; the others of its session get what they always got", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const join = (query: string) => connect(flowIds.gated, { chat: "c1", query })
      const asked = yield* join(brief)
      const others = yield* Effect.forEach(
        ["", "&native=1", "&brief=1", "&native=0&brief=1", "&native=1&brief=yes", "&native=1&brief=", brief],
        join
      )
      const second = others.pop()
      yield* asked.say(ask("go"))
      for (const text of ["one ", "two ", "three"]) {
        yield* gate(0).text(text)
        yield* asked.until(() => streamed(asked.frames).endsWith(text))
      }
      yield* gate(0).finish
      for (const client of [asked, ...others]) yield* client.until(isClose)
      expect(shortOf(asked)).toEqual(['[1,4,"two "]', '[1,5,"three"]'])
      expect(second?.texts.filter(isShort)).toEqual(shortOf(asked))
      const [classic] = others
      const classicTexts = classic?.texts ?? []
      expect(classicTexts.every((text) => !isShort(text) && !text.includes('"ref"'))).toBe(true)
      for (const other of others) {
        expect(other.texts.filter((text) => !text.includes('"category":"session"'))).toEqual(classicTexts)
      }
      expect(common(asked)).toEqual(classic?.frames)
    })
  )

  it.scopedLive("gets text and reasoning as they are, whatever they are", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1", query: brief })
      const strange = [
        'say "hi" \\ ',
        "\u0000\u001b[1m\r\n\t",
        "🎈👩‍👩‍👧 汉字 é",
        "\u2028[1,2]{}",
        '[1,9,"x"]'
      ]
      yield* client.say(ask("go"))
      for (const text of strange) {
        yield* gate(0).reasoning(text)
        yield* client.until(() => streamed(client.frames, "reasoning_content").endsWith(text))
      }
      for (const text of strange) {
        yield* gate(0).text(text)
        yield* client.until(() => streamed(client.frames).endsWith(text))
      }
      yield* gate(0).finish
      yield* client.until(isClose)
      expect(streamed(client.frames, "reasoning_content")).toBe(strange.join(""))
      expect(streamed(client.frames)).toBe(strange.join(""))
      expect(shortOf(client)).toHaveLength(2 * (strange.length - 1))
    })
  )

  it.scopedLive(
    "resumes in the middle of a text with its first frame whole, even when a later run is on",
    () =>
      Effect.gen(function* () {
        const { connect, gate } = yield* startServer()
        const first = yield* connect(flowIds.gated, { chat: "c1", query: brief })
        const { epoch } = Object((yield* first.until(isSession)).message)
        yield* first.say(ask("go"))
        for (const text of ["one ", "two ", "three ", "four "]) {
          yield* gate(0).text(text)
          yield* first.until(() => streamed(first.frames).endsWith(text))
        }
        const whole = common(first)
        const third = first.frames.find(({ message }) => Object(message).content === "three ")?.seq ?? 0
        yield* first.close
        yield* gate(0).finish
        const asker = yield* connect(flowIds.gated, { chat: "c1" })
        yield* asker.say(ask("again"))
        yield* gate(1).text("next")
        yield* asker.until(() => streamed(asker.frames).endsWith("next"))
        const back = yield* connect(flowIds.gated, {
          chat: "c1",
          query: `${brief}&last_seq=${third - 2}&epoch=${epoch}`
        })
        yield* gate(1).finish
        yield* back.untilCount(isClose, 2)
        expect((yield* back.until(isSession)).message).toMatchObject({ recovered: true, seq: third - 2 })
        expect(numberedOf(back).map(({ seq }) => seq)).toEqual(numberedOf(back).map((_, i) => third - 1 + i))
        expect(common(back).slice(0, 3)).toEqual(whole.slice(-3))
        expect(shortOf(back).slice(0, 2)).toEqual([`[1,${third},"three "]`, `[1,${third + 1},"four "]`])
        const texts = back.frames.filter(isStream)
        expect(texts.at(-1)?.run_id).not.toBe(texts[0]?.run_id)
        expect(texts.at(-1)?.message).toEqual({ content: "next", reasoning_content: "" })
      })
  )

  it.scopedLive("gets the answer so far when it comes late, merged, then short frames", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const early = yield* connect(flowIds.gated, { chat: "c1", query: brief })
      yield* early.say(ask("go"))
      for (let i = 0; i < 100; i++) {
        yield* gate(0).text(`${i} `)
        yield* early.until(() => streamed(early.frames).endsWith(`${i} `))
      }
      const late = yield* connect(flowIds.gated, { chat: "c1", query: brief })
      const merged = yield* late.until(isStream)
      yield* gate(0).text("and on")
      for (const client of [early, late])
        yield* client.until(() => streamed(client.frames).endsWith("and on"))
      expect(merged).toMatchObject({ ref: 1, first_seq: 3, seq: 102 })
      expect(shortOf(late)).toEqual(['[1,103,"and on"]'])
      expect(shortOf(early)).toHaveLength(100)
      expect(streamed(late.frames)).toBe(streamed(early.frames))
    })
  )

  it.scopedLive("tells its sessions apart by their refs, and gives that of one it left to another", () =>
    Effect.gen(function* () {
      const { connect, gate } = yield* startServer()
      const client = yield* connect(flowIds.gated, { chat: "c1", query: brief })
      const c2 = { flow_id: flowIds.gated, chat_id: "c2" }
      yield* client.say(ask("one"))
      yield* gate(0).begun
      yield* client.say(ask("two", c2))
      yield* gate(1).begun
      for (const i of [0, 1, 0, 1]) {
        const count = client.frames.length
        yield* gate(i).text(`from ${i} `)
        yield* client.until(() => client.frames.length > count)
      }
      expect(shortOf(client)).toEqual(['[1,4,"from 0 "]', '[2,4,"from 1 "]'])
      const ofChat = (chat: string) => client.frames.filter(({ chat_id }) => chat_id === chat)
      expect(streamed(ofChat("c1"))).toBe("from 0 from 0 ")
      expect(streamed(ofChat("c2"))).toBe("from 1 from 1 ")
      // The socket leaves its own session for c3.
      yield* client.say({ inputs: { data: { id: flowIds.gated, chatId: "c3" } } })
      for (const [i, chat] of ["c3", "c4"].entries()) {
        yield* client.say(ask("more", { flow_id: flowIds.gated, chat_id: chat }))
        yield* gate(2 + i).begun
        for (const text of ["a ", "b "]) {
          yield* gate(2 + i).text(text)
          yield* client.until(() => streamed(ofChat(chat)).endsWith(text))
        }
      }
      expect(shortOf(client).slice(2)).toEqual(['[3,4,"b "]', '[1,4,"b "]'])
    })
  )

  it.scopedLive("gets what a workflow's nodes say by their own frames", () =>
    Effect.gen(function* () {
      const { connect } = yield* startServer({}, { catalogue: waitingApps })
      const client = yield* connect(workflowId, { chat: "c1", query: brief })
      yield* client.say({ action: "init_data", flow_id: workflowId, chat_id: "c1", data: {} })
      yield* client.until(({ category }) => category === "input")
      yield* client.say({
        action: "input",
        flow_id: workflowId,
        chat_id: "c1",
        data: { input_1: { data: { name: "Ada" }, message: "", message_id: "" } }
      })
      yield* client.until(isClose)
      const said = client.frames.filter((frame) => isStream(frame) && frame.category === "stream_msg")
      expect(said.map(({ message }) => Object(message).msg).join("")).toBe("Hello Ada")
      expect(said[0]).toMatchObject({ ref: 1, message: { node_id: "llm_1", output_key: "output" } })
    })
  )
})
