/** Chains one after the other: what one answers is an input, under its output's key, of those that follow. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { RunFailed } from "../../../protocol/errors.ts"
import {
  type Answered,
  Deltas,
  noUsage,
  type Passage,
  type RunEvent,
  silent,
  type Usage
} from "../../../protocol/RunEvent.ts"
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
      const chains = ordered(wired, textList(fields.chain_order))
      const [first] = chains
      if (first === undefined)
        return yield* fault(`node ${named(node)} needs chains connected to "chains"`, node)
      const [input] = textList(fields.input_variables)
      const [output] = textList(fields.output_variables)
      const inputKey = input ?? first.inputKey
      return yield* makeChain(node, {
        inputKey,
        outputKey: output ?? chains.at(-1)?.outputKey ?? first.outputKey,
        takesQuestion: first.takesQuestion,
        answer: (question) =>
          inARow(chains, question, {
            ...question.inputs,
            [inputKey]: question.text,
            [first.inputKey]: question.text
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

/** What the chains before have come to. */
interface Progress {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly text: string
  readonly usage: Usage
  readonly source: number
  readonly passages: ReadonlyArray<Passage>
}

/** One stream after the other, not one within the other: a hundred chains cost a hundred times one. */
const inARow = (
  chains: ReadonlyArray<ChainPart>,
  question: Question,
  inputs: Readonly<Record<string, unknown>>
): Answering =>
  Stream.suspend(() => {
    let progress: Progress = { inputs, text: question.text, usage: noUsage, source: 0, passages: [] }
    const asked = ({ inputKey }: ChainPart): Question => {
      const known = Object.hasOwn(progress.inputs, inputKey) ? progress.inputs[inputKey] : undefined
      return {
        ...question,
        text: known === undefined ? progress.text : asText(known),
        inputs: progress.inputs
      }
    }
    const before = Stream.fromIterable(chains.slice(0, -1)).pipe(
      Stream.rechunk(1),
      Stream.flatMap((chain) =>
        step(chain, asked(chain), (answer) => {
          progress = {
            inputs: { ...progress.inputs, [chain.outputKey]: answer.text },
            text: answer.text,
            usage: sum(progress.usage, answer.usage),
            source: Math.max(progress.source, answer.source),
            passages: distinct([...progress.passages, ...answer.passages])
          }
        })
      )
    )
    const last = Stream.fromIterable(chains.slice(-1)).pipe(
      Stream.flatMap((chain) => chain.answer(asked(chain))),
      Stream.map((event): RunEvent => (event._tag === "Answered" ? restingOn(event, progress) : event))
    )
    return Stream.concat(before, last)
  })

/** Only the last chain's words are the answer; the others' are shown whole, as steps. */
const step = (chain: ChainPart, question: Question, settled: (answer: Answered) => void): Answering =>
  Stream.suspend(() => {
    let isAnswered = false
    const events = chain.answer(question).pipe(
      Stream.provideService(Deltas, silent),
      Stream.mapEffect((event): Effect.Effect<RunEvent, RunFailed> => {
        if (event._tag === "Waiting") {
          return Effect.fail(skillFailed("a group chat can only be the last of a sequence of chains"))
        }
        if (event._tag !== "Answered") return Effect.succeed(event)
        isAnswered = true
        settled(event)
        return Effect.succeed({ _tag: "Step", text: event.text })
      })
    )
    const checked = Stream.suspend(() =>
      isAnswered ? Stream.empty : Stream.fail(skillFailed(`the chain "${chain.nodeId}" gave no answer`))
    )
    return Stream.concat(events, checked)
  })

const restingOn = (answer: Answered, { usage, source, passages }: Progress): Answered => ({
  ...answer,
  usage: sum(usage, answer.usage),
  source: Math.max(answer.source, source),
  passages: distinct([...passages, ...answer.passages])
})
