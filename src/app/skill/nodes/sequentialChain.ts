/** Chains one after the other: what one answers is an input, under its output's key, of those that follow. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Deltas, noUsage, type RunEvent, silent, type Usage } from "../../../protocol/RunEvent.ts"
import type { Answering, Question } from "../../App.ts"
import { asText } from "../asText.ts"
import { distinct, makeChain, skillFailed, sum } from "../chain.ts"
import { LooseText, textList } from "../fields.ts"
import { fault, named } from "../Graph.ts"
import { defineNode, Optional, wiredAll } from "../NodeType.ts"
import type { ChainPart } from "../Part.ts"

export const sequentialChain = defineNode({
  types: ["SequentialChain", "SimpleSequentialChain"],
  fields: Schema.Struct({
    input_variables: Optional(LooseText),
    output_variables: Optional(LooseText),
    /** The chains' node ids in their order; the rest follow in the order of the edges. */
    chain_order: Optional(LooseText)
  }),
  build: (fields, node) =>
    Effect.gen(function* () {
      const wired = yield* wiredAll(node, "chains", "Chain")
      const [first, ...rest] = ordered(wired, textList(fields.chain_order))
      if (first === undefined)
        return yield* fault(`node ${named(node)} needs chains connected to "chains"`, node)
      const [input] = textList(fields.input_variables)
      const [output] = textList(fields.output_variables)
      const inputKey = input ?? first.inputKey
      return yield* makeChain(node, {
        inputKey,
        outputKey: output ?? rest.at(-1)?.outputKey ?? first.outputKey,
        takesQuestion: first.takesQuestion,
        answer: (question) =>
          step(first, rest, {
            question,
            inputs: { ...question.inputs, [inputKey]: question.text, [first.inputKey]: question.text },
            previous: question.text,
            usage: noUsage
          })
      })
    })
})

const ordered = (
  chains: ReadonlyArray<ChainPart>,
  order: ReadonlyArray<string>
): ReadonlyArray<ChainPart> => {
  const place = (chain: ChainPart): number => {
    const at = order.indexOf(chain.nodeId)
    return at === -1 ? order.length : at
  }
  return [...chains].sort((one, other) => place(one) - place(other))
}

interface Progress {
  readonly question: Question
  readonly inputs: Readonly<Record<string, unknown>>
  readonly previous: string
  readonly usage: Usage
}

const step = (chain: ChainPart, rest: ReadonlyArray<ChainPart>, progress: Progress): Answering => {
  const known = Object.hasOwn(progress.inputs, chain.inputKey) ? progress.inputs[chain.inputKey] : undefined
  const run = chain.answer({
    ...progress.question,
    text: known === undefined ? progress.previous : asText(known),
    inputs: progress.inputs
  })
  const [next, ...others] = rest
  if (next === undefined) return Stream.map(run, (event) => withUsage(event, progress.usage))
  // Only the last chain's words are the answer; the others' are shown whole, as steps.
  return run.pipe(
    Stream.provideService(Deltas, silent),
    Stream.flatMap((event): Answering => {
      switch (event._tag) {
        case "Answered":
          return Stream.concat(
            Stream.succeed<RunEvent>({ _tag: "Step", text: event.text }),
            Stream.map(
              step(next, others, {
                question: progress.question,
                inputs: { ...progress.inputs, [chain.outputKey]: event.text },
                previous: event.text,
                usage: sum(progress.usage, event.usage)
              }),
              (later): RunEvent =>
                later._tag === "Answered" && event.passages.length > 0
                  ? {
                      ...later,
                      source: Math.max(later.source, event.source),
                      passages: distinct([...event.passages, ...later.passages])
                    }
                  : later
            )
          )
        case "Waiting":
          return Stream.fail(skillFailed("a group chat can only be the last of a sequence of chains"))
        default:
          return Stream.succeed(event)
      }
    })
  )
}

const withUsage = (event: RunEvent, before: Usage): RunEvent =>
  event._tag === "Answered" ? { ...event, usage: sum(before, event.usage) } : event
