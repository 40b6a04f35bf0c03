/** Fills a .docx template with what the run has made, and hands the person the document. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isRecord, textOf } from "../json.ts"
import { defineNode, failed, type NodeContext, Optional, result } from "../NodeType.ts"
import type { Reading } from "../variables.ts"
import { entry } from "./llm.ts"

const Fields = Schema.Struct({
  report_info: Optional(
    Schema.Struct({
      /** `<template's key>_<version>` */
      version_key: Optional(Schema.String),
      file_name: Optional(Schema.String)
    })
  )
})

const lack = "it makes a document, for which this server has no report maker"

export const report = defineNode({
  types: ["report"],
  fields: Fields,
  make: ({ report_info: info }, _node, { report: maker }) => {
    if (maker === undefined) return { lacks: [lack], run: () => Effect.fail(failed(lack)) }
    const given = (info?.file_name ?? "").trim()
    const base = given === "" ? "report" : given
    const fileName = base.toLowerCase().endsWith(".docx") ? base : `${base}.docx`
    return {
      run: ({ run, flowId, userId, reading, nodeOf, tell }) =>
        Effect.gen(function* () {
          const made = yield* maker.make({
            templateKey: (info?.version_key ?? "").split("_")[0] ?? "",
            flowId,
            userId,
            fileName,
            values: valuesOf(reading),
            sections: sectionsOf(reading, nodeOf)
          })
          yield* tell({
            _tag: "NodeSaid",
            category: "output_msg",
            message: {
              unique_id: run.uniqueId,
              node_id: run.nodeId,
              name: run.name,
              msg: "",
              output_key: "",
              unfilled: [...made.unfilled]
            },
            files: [{ path: made.url, name: made.name }],
            source: 0,
            passages: []
          })
          return result({
            outputs: { file_name: made.name },
            log: [[entry("file", made.name), entry("unfilled", [...made.unfilled])]]
          })
        })
    }
  }
})

/** Every variable, and the items of those that have named ones. */
const valuesOf = (reading: Reading): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(reading.all).flatMap(([node, made]) =>
      Object.entries(made).flatMap(([key, value]): ReadonlyArray<readonly [string, string]> => {
        const name = `${node}.${key}`
        if (key.startsWith("$")) return []
        if (key === "chat_history") return [[name, reading.text(name)]]
        const items = isRecord(value) ? Object.entries(value) : []
        return [
          [name, textOf(value)],
          ...items.map(([item, one]) => [`${name}#${item}`, textOf(one)] as const)
        ]
      })
    )
  )

const writers = new Set(["llm", "agent", "rag", "qa_retriever", "tool"])

const sectionsOf = (reading: Reading, nodeOf: NodeContext["nodeOf"]) =>
  Object.entries(reading.all).flatMap(([id, made]) => {
    const node = nodeOf(id)
    if (node === undefined || !writers.has(node.type)) return []
    return Object.values(made).flatMap((value) =>
      typeof value === "string" && value !== "" ? [{ title: node.name, text: value }] : []
    )
  })
