import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { hidden, keepingSecrets, withoutSecrets } from "../../../src/app/remote/RemoteSettings.ts"
import { publicOnly } from "../../../src/app/remote/reach.ts"
import { remote } from "./support.ts"

const url = "https://agent.example.org/run"
const host = "agent.example.org"

const whyNot = (data: unknown, ...hosts: ReadonlyArray<string>) =>
  Effect.map(Effect.flip(remote(data, ...hosts)), ({ reason }) => reason)

describe("a remote app's record", () => {
  it.effect("becomes an app that clients take for an assistant", () =>
    Effect.gen(function* () {
      const app = yield* remote({ protocol: "ag-ui", url, on_disconnect: "cancel" }, host)
      expect(app).toMatchObject({
        kind: "assistant",
        flowType: 100,
        inputKey: "input",
        onDisconnect: "cancel"
      })
    })
  )

  it.effect("may only name a host that the operator has listed", () =>
    Effect.gen(function* () {
      expect(yield* whyNot({ protocol: "ag-ui", url })).toBe(
        'its service at "agent.example.org" may not be reached: the operator of this server has to add "agent.example.org" to WEB_HOSTS'
      )
      expect(
        yield* whyNot({ protocol: "ag-ui", url: "http://127.0.0.1:1234/" }, host, "127.0.0.1:4321")
      ).toContain('add "127.0.0.1:1234" to WEB_HOSTS')
      expect(yield* whyNot({ protocol: "ag-ui", url: "http://169.254.169.254/" }, ".254", "")).toContain(
        "WEB_HOSTS"
      )
      yield* remote({ protocol: "ag-ui", url }, ".example.org")
    })
  )

  it.effect.each([
    [{}, "protocol"],
    [{ protocol: "soap", url }, "protocol"],
    [{ protocol: "ag-ui", url: "file:///etc/passwd" }, "http(s) address"],
    [{ protocol: "ag-ui", url: "https://me:pass-word@agent.example.org" }, "without a password"],
    [{ protocol: "openai", url }, "asked for a model by its name"],
    [{ protocol: "ag-ui", url, headers: { Host: "elsewhere" } }, "set by the server itself"],
    [{ protocol: "ag-ui", url, headers: { "a b": "c" } }, "no name of a header"],
    [{ protocol: "ag-ui", url, api_key: "two\nlines-of-secret" }, "one line"],
    [{ protocol: "ag-ui", url, timeout: 0 }, "timeout"]
  ] as const)("is refused with words about what is wrong: %j", ([data, words]) =>
    Effect.gen(function* () {
      const reason = yield* whyNot(data, host)
      expect(reason).toContain(words)
      expect(reason).not.toContain("secret")
      expect(reason).not.toContain("pass-word")
    })
  )

  it.live("does not lead into the operator's network, whatever a listed name resolves to", () =>
    Effect.gen(function* () {
      const lookUp = (entry: string) =>
        Effect.async<string>((resume) => {
          publicOnly(entry)("localhost", {}, (error, address) => {
            resume(Effect.succeed(error === null ? String(address) : error.message))
          })
        })
      expect(yield* lookUp("agent.example.org")).toContain("private network")
      expect(yield* lookUp("localhost:8080")).toMatch(/^(127\.0\.0\.1|::1)$/)
    })
  )

  it("is shown without its secrets, and keeps them when it is sent back like that", () => {
    const data = { protocol: "ag-ui", url, api_key: "k", headers: { A: "1", B: "2" }, guide_word: "Hi" }
    const shown = withoutSecrets(data)
    expect(shown).toEqual({ ...data, api_key: hidden, headers: { A: hidden, B: hidden } })
    expect(keepingSecrets(shown, data)).toEqual(data)
    expect(keepingSecrets({ ...data, api_key: "new", headers: { B: hidden, C: "3" } }, data)).toEqual({
      ...data,
      api_key: "new",
      headers: { B: "2", C: "3" }
    })
    expect(withoutSecrets({ protocol: "ag-ui", url })).toEqual({ protocol: "ag-ui", url })
  })

  it("does not hand its secrets to another service", () => {
    const data = { protocol: "ag-ui", url, api_key: "k", headers: { A: "1" } }
    const moved = { ...data, url: "https://evil.example.org", api_key: hidden, headers: { A: hidden } }
    expect(keepingSecrets(moved, data)).toEqual({ ...moved, api_key: "", headers: {} })
  })
})
