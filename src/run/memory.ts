/** Turns stored messages back into what a model reads: questions, answers, and the tool calls between. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ModelMessage, ToolCall } from "../model/LanguageModel.ts"
import { toolInput, toolInputSteps, toolMessage, toolOutputSteps } from "../protocol/projection.ts"
import type { ToolEnded, ToolStarted } from "../protocol/RunEvent.ts"
import { breakAnswer, type NewMessage } from "../storage/rows.ts"

const StoredTool = Schema.parseJson(Schema.Struct({ input_str: Schema.String, output: Schema.String }))

const StoredToolExtra = Schema.parseJson(
  Schema.Struct({ call_id: Schema.String, name: Schema.String, turn: Schema.Number })
)

/** Nearly every question has nothing of the kind, and a failed decoding is dear. */
const isFilling = (extra = ""): boolean => extra.includes('"inputs"') && Either.isRight(decodeFilling(extra))

const decodeFilling = Schema.decodeUnknownEither(Schema.parseJson(Schema.Struct({ inputs: Schema.Unknown })))

const StoredNodeSaid = Schema.parseJson(Schema.Struct({ msg: Schema.String }))

const decodeNodeSaid = Schema.decodeUnknownEither(StoredNodeSaid)
const decodeTool = Schema.decodeUnknownEither(StoredTool)
const decodeToolExtra = Schema.decodeUnknownEither(StoredToolExtra)

/** A finished tool call as it is kept; `remembered` reads it back. */
export const toolRow = (started: ToolStarted, ended: ToolEnded): NewMessage => ({
  is_bot: true,
  type: "end",
  category: started.category,
  message: toolMessage({ ...toolInput(started), output: ended.output }),
  intermediate_steps: `${toolInputSteps(started)}\n\n${toolOutputSteps(ended.output)}`,
  extra: JSON.stringify({
    run_id: started.id,
    call_id: started.callId,
    name: started.name,
    turn: started.turn
  })
})

type Remembered = Pick<NewMessage, "category" | "message" | "extra" | "remark">

interface Turn {
  readonly number: number
  readonly calls: Array<ToolCall>
  readonly results: Array<ModelMessage>
}

/**
 * Whole rounds in, oldest first. Calls of one turn of the model become one assistant message, followed by
 * their results, as model servers demand. Broken answers are left out.
 */
export const remembered = (rows: ReadonlyArray<Remembered>): ReadonlyArray<ModelMessage> => {
  const messages: Array<ModelMessage> = []
  let turn: Turn | null = null
  const closeTurn = () => {
    if (turn === null) return
    messages.push({ role: "assistant", content: "", toolCalls: turn.calls }, ...turn.results)
    turn = null
  }
  for (const row of rows) {
    if (row.remark === breakAnswer) continue
    switch (row.category) {
      case "stream_msg":
      case "output_msg": {
        closeTurn()
        const said = decodeNodeSaid(row.message)
        if (Either.isRight(said)) {
          messages.push({ role: "assistant", content: said.right.msg, toolCalls: [] })
        }
        break
      }
      case "question":
        closeTurn()
        // What fills in a form is no question to the model.
        if (isFilling(row.extra)) break
        messages.push({ role: "user", content: row.message })
        break
      case "answer":
        closeTurn()
        messages.push({ role: "assistant", content: row.message, toolCalls: [] })
        break
      case "tool":
      case "flow":
      case "knowledge": {
        const tool = decodeTool(row.message)
        const extra = decodeToolExtra(row.extra ?? "")
        if (Either.isLeft(tool) || Either.isLeft(extra)) break
        if (turn !== null && turn.number !== extra.right.turn) closeTurn()
        turn ??= { number: extra.right.turn, calls: [], results: [] }
        turn.calls.push({
          id: extra.right.call_id,
          name: extra.right.name,
          arguments: tool.right.input_str
        })
        turn.results.push({
          role: "tool",
          content: tool.right.output,
          toolCallId: extra.right.call_id
        })
        break
      }
    }
  }
  closeTurn()
  return messages
}
