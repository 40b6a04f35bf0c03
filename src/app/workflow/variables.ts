/**
 * What nodes have made, by node and key, and how texts refer to it: `{{#llm_1a2b3.output#}}`, or
 * `{{#start_1a2b3.preset_question#039836}}` for one item of a list or record.
 */
import type { Json } from "../../protocol/frames.ts"
import { isList, isRecord, textOf } from "./json.ts"

export type Variables = Readonly<Record<string, Readonly<Record<string, Json>>>>

/** Who said something in the course of the run. */
export interface Said {
  readonly by: "human" | "ai"
  readonly text: string
}

export interface Reference {
  readonly node: string
  readonly key: string
  /** "" for the whole. */
  readonly item: string
}

/** null where the text is no reference. */
export const parseReference = (text: string): Reference | null => {
  const dot = text.indexOf(".")
  if (dot < 1 || dot === text.length - 1) return null
  const rest = text.slice(dot + 1)
  const hash = rest.indexOf("#")
  return hash === -1
    ? { node: text.slice(0, dot), key: rest, item: "" }
    : { node: text.slice(0, dot), key: rest.slice(0, hash), item: rest.slice(hash + 1) }
}

const mark = /\{\{#([^{}\n]{1,300})#\}\}/g

/** Every reference in a template, once. */
export const referencesIn = (template: string): ReadonlyArray<string> => [
  ...new Set([...template.matchAll(mark)].flatMap((match) => match[1] ?? []))
]

export type Values = ReadonlyMap<string, Json>

const none: Values = new Map()

/** What one execution of a node reads. It keeps a record, for the node's log. */
export class Reading {
  readonly inputs = new Map<string, Json>()
  readonly missing = new Set<string>()
  readonly #variables: Variables
  readonly #history: ReadonlyArray<Said>

  constructor(variables: Variables, history: ReadonlyArray<Said>) {
    this.#variables = variables
    this.#history = history
  }

  get all(): Variables {
    return this.#variables
  }

  /**
   * What a reference stands for; null where there is nothing, which is recorded. `own` are values that only this
   * execution has, by reference: the item of a batch, the passages found.
   */
  value(reference: string, own: Values = none): Json {
    const found = own.get(reference) ?? this.#find(reference)
    if (found === undefined) this.missing.add(reference)
    this.inputs.set(reference, found ?? null)
    return found ?? null
  }

  text(reference: string, own: Values = none): string {
    return textOf(this.value(reference, own))
  }

  /** Values are put in as they are: marks in them mean nothing. What is missing is left empty. */
  fill(template: string, own: Values = none): string {
    return template.replace(mark, (_, reference: string) => this.text(reference, own))
  }

  #find(text: string): Json | undefined {
    const reference = parseReference(text)
    if (reference === null) return undefined
    const made = held(this.#variables, reference.node)
    if (made === undefined) return undefined
    if (reference.key === "chat_history") return conversation(this.#history, held(made, "chat_history"))
    const value = held(made, reference.key)
    return reference.item === "" || value === undefined ? value : itemOf(value, reference.item)
  }
}

const held = <A>(record: Readonly<Record<string, A>>, key: string): A | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

const itemOf = (value: Json, item: string): Json | undefined => {
  if (isList(value)) return /^\d{1,9}$/.test(item) ? value[Number(item)] : undefined
  return isRecord(value) ? held(value, item) : undefined
}

/** The start node's value of it says how many messages. */
const conversation = (history: ReadonlyArray<Said>, count: Json | undefined): string => {
  const last = typeof count === "number" && Number.isInteger(count) && count >= 0 ? count : 10
  return (last === 0 ? [] : history.slice(-last))
    .map(({ by, text }) => `${by === "human" ? "Human" : "AI"}: ${text}`)
    .join("\n")
}
