/** An answer typed into the dialogue, with the files that were sent along. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { GraphNode } from "../../Graph.ts"
import { type Made, type NodeBench, result } from "../../NodeType.ts"
import { text, texts } from "../../replies.ts"
import { type FilesAsked, maxFiles, nameIn, readFiles } from "./files.ts"
import { asked, listOf, param } from "./schema.ts"

const filesKey = "dialog_files_content"

export const dialogue = (files: FilesAsked, node: GraphNode, bench: NodeBench): Made => ({
  prompt: () =>
    asked(node, {
      ...param(node, "user_input", "dialog_input"),
      value: [param(node, filesKey, "dialog_input"), param(node, "dialog_file_accept", "dialog_input")]
    }),
  accept: (data) =>
    Either.gen(function* () {
      const given = yield* texts(data, filesKey, maxFiles)
      const typed = yield* text({ user_input: "", ...data }, "user_input", "the text")
      if (typed.trim() === "" && given.length === 0) return yield* Either.left("the answer is empty")
      return {
        values: { user_input: typed, [filesKey]: given },
        text: [typed, ...given.map(nameIn)].filter((line) => line !== "").join("\n")
      }
    }),
  run: (_context, { values }) =>
    Effect.map(
      readFiles(listOf(values[filesKey]), files, bench.documents),
      ({ list, content, paths, images }) => {
        const typed = typeof values["user_input"] === "string" ? values["user_input"] : ""
        return result({
          outputs: {
            user_input: typed,
            dialog_files: list,
            dialog_files_content: content,
            dialog_files_path: paths,
            dialog_file_paths: paths,
            dialog_image_files: images
          },
          said: [{ by: "human", text: content === "" ? typed : `${content}\n${typed}` }]
        })
      }
    )
})
