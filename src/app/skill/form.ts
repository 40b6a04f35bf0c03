/**
 * What an app's input nodes may be given before a question, and the app with that in its nodes. Built once
 * however many ask for the same values; the values used longest ago are forgotten first.
 */
import * as Effect from "effect/Effect"
import { type AppNotBuilt, RunFailed } from "../../protocol/errors.ts"
import type { App, Form, FormValues } from "../App.ts"
import { asText } from "./asText.ts"
import { textList } from "./fields.ts"
import type { Graph } from "./Graph.ts"
import { keptOnce } from "./keptOnce.ts"
import { fieldValues } from "./NodeType.ts"
import { namesOf } from "./nodes/variableNode.ts"

const maxKept = 64

/** Of one value. Longer ones would be kept with the built app. */
const maxValue = 100_000

export const noValues: FormValues = { files: {}, variables: {} }

type Slots = Omit<Form, "fill" | "takesQuestion">

const strings = (value: unknown): string | ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : asText(value)

/** null: the graph has no such nodes. */
export const slotsOf = (graph: Graph): Slots | null => {
  const slots = {
    questions: graph.nodes
      .filter(({ type }) => type === "InputNode")
      .map((node) => ({ nodeId: node.id, texts: textList(strings(fieldValues(node).input)) })),
    files: graph.nodes
      .filter(({ type }) => type === "InputFileNode" || type === "InputFile")
      .map((node) => ({ nodeId: node.id, label: asText(fieldValues(node).file_type) })),
    variables: graph.nodes
      .filter(({ type }) => type === "VariableNode")
      .map((node) => ({ nodeId: node.id, names: namesOf(strings(fieldValues(node).variables)) }))
  }
  return slots.questions.length + slots.files.length + slots.variables.length === 0 ? null : slots
}

export const makeForm = (
  slots: Slots,
  takesQuestion: boolean,
  build: (values: FormValues) => Effect.Effect<App, AppNotBuilt>
): Form => {
  /** By the values, the ones used longest ago first. */
  const kept = new Map<string, Effect.Effect<App, AppNotBuilt>>()
  return {
    ...slots,
    takesQuestion,
    fill: (values) =>
      Effect.suspend((): Effect.Effect<App, AppNotBuilt | RunFailed> => {
        const wrong = wrongIn(values, slots)
        if (wrong !== null) return Effect.fail(new RunFailed({ reason: wrong, kind: "skill" }))
        const key = keyOf(values)
        const known = kept.get(key)
        if (known !== undefined) {
          kept.delete(key)
          kept.set(key, known)
          return known
        }
        return Effect.flatMap(keptOnce(build(values)), (app) => {
          // Between the look above and here nobody else had a turn.
          kept.set(key, app)
          for (const oldest of kept.keys()) {
            if (kept.size <= maxKept) break
            kept.delete(oldest)
          }
          return app
        })
      })
  }
}

/** Why these values do not fit the form, or null. What is missing keeps the graph's own value. */
const wrongIn = ({ files, variables }: FormValues, slots: Slots): string | null => {
  const lostFile = Object.keys(files).find((id) => !slots.files.some(({ nodeId }) => nodeId === id))
  if (lostFile !== undefined) return `the app has no node "${lostFile}" that takes a file`
  for (const [nodeId, values] of Object.entries(variables)) {
    const names = slots.variables.find((slot) => slot.nodeId === nodeId)?.names
    if (names === undefined) return `the app has no node "${nodeId}" that takes variables`
    for (const [name, value] of Object.entries(values)) {
      if (!names.includes(name))
        return `the node "${nodeId}" has no variable "${name}"; it has ${listed(names)}`
      if (value.length > maxValue) return `the value of "${name}" is longer than ${maxValue} characters`
    }
  }
  return null
}

const listed = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "none" : names.map((name) => `"${name}"`).join(", ")

/** The same values have the same key, in whatever order they came. */
const keyOf = ({ files, variables }: FormValues): string =>
  JSON.stringify([sorted(files), sorted(variables).map(([nodeId, values]) => [nodeId, sorted(values)])])

const sorted = <A>(record: Readonly<Record<string, A>>): ReadonlyArray<readonly [string, A]> =>
  Object.entries(record).sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
