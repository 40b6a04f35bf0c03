/** A language model that answers from what it is asked, word by word, and can be held in the middle. */
import * as Effect from "effect/Effect"
import {
  type LanguageModelService,
  ModelError,
  type ModelRequest,
  type ToolCall
} from "../../src/model/LanguageModel.ts"

/** A text is streamed and is the answer. */
export type Spoken =
  | string
  /** Streams this much, then nothing until it is interrupted. */
  | { readonly holds: string }
  /** Streams this much, then breaks off. */
  | { readonly fails: string; readonly after?: string }
  /** Asks for a tool. */
  | { readonly calls: string; readonly with: unknown }

export type Speech = (request: ModelRequest) => Spoken

export const lastWords = ({ messages }: ModelRequest): string => messages.at(-1)?.content ?? ""

export const allWords = ({ messages }: ModelRequest): string =>
  messages.map(({ content }) => content).join("\n")

const othersFirst = Effect.async<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

export const scriptedSpeech = (speech: Speech) => {
  const requests: Array<ModelRequest> = []
  const watchers = new Set<() => void>()
  let held = 0
  let released = 0
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  const until = (test: () => boolean): Effect.Effect<void> =>
    Effect.async<void>((resume) => {
      const check = () => {
        if (!test()) return
        watchers.delete(check)
        resume(Effect.void)
      }
      watchers.add(check)
      check()
      return Effect.sync(() => watchers.delete(check))
    }).pipe(
      Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("the model waits") }),
      Effect.orDie
    )

  const service: LanguageModelService = {
    label: "scripted",
    // A model is never there at once: others have their turn before it answers.
    generate: (request, sink) =>
      Effect.flatMap(othersFirst, () => {
        requests.push(request)
        const spoken = speech(request)
        const streams = (text: string) => {
          for (const word of text.split(/(?<= )/)) if (word !== "") sink.text(word)
        }
        const completion = (text: string, toolCalls: ReadonlyArray<ToolCall>) => ({
          text,
          reasoning: "",
          toolCalls,
          usage: { promptTokens: 10, completionTokens: 3 },
          finishReason: toolCalls.length > 0 ? "tool_calls" : "stop"
        })
        if (typeof spoken === "string") {
          streams(spoken)
          return Effect.succeed(completion(spoken, []))
        }
        if ("calls" in spoken) {
          const call = {
            id: `call-${requests.length}`,
            name: spoken.calls,
            arguments: JSON.stringify(spoken.with)
          }
          return Effect.succeed(completion("", [call]))
        }
        if ("fails" in spoken) {
          streams(spoken.after ?? "")
          return Effect.fail(new ModelError({ kind: "cut", reason: spoken.fails }))
        }
        streams(spoken.holds)
        held += 1
        changed()
        return Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            released += 1
            changed()
          })
        )
      })
  }
  return {
    service,
    /** Every request so far. */
    requests,
    /** What each was asked last. */
    asked: () => requests.map(lastWords),
    /** Everything that each was told. */
    heard: () => requests.map(allWords),
    /** Returns when so many requests were held. */
    holding: (count: number) => until(() => held >= count),
    /** Returns when so many held requests were interrupted. */
    interrupted: (count: number) => until(() => released >= count)
  }
}
