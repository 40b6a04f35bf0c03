/** One tool call of the model, from its raw arguments to what the model reads back. Never fails: a call that
 * went wrong is told to the model, which may try again or do without. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ToolCall } from "../../model/LanguageModel.ts"
import type { Passage } from "../../protocol/RunEvent.ts"
import { type Tool, ToolFailed, type ToolResult } from "../Tool.ts"

/** A call that takes longer is interrupted. */
export const toolTimeLimit = Duration.seconds(60)

/** What the model reads of one call's output, in UTF-16 units. */
export const maxToolOutput = 32 * 1024

export interface CallOutcome {
  readonly output: string
  readonly failed: boolean
  readonly passages: ReadonlyArray<Passage>
}

export interface CallScope {
  readonly flowId: string
  readonly userId: number
}

export const callTool = (
  call: ToolCall,
  tools: ReadonlyMap<string, Tool>,
  scope: CallScope
): Effect.Effect<CallOutcome> =>
  run(call, tools, scope).pipe(
    Effect.map((result) => ({ output: bounded(result.output), failed: false, passages: result.passages })),
    Effect.catchTag("ToolFailed", (error) =>
      Effect.succeed({ output: bounded(error.reason), failed: true, passages: [] })
    )
  )

const run = (
  call: ToolCall,
  tools: ReadonlyMap<string, Tool>,
  scope: CallScope
): Effect.Effect<ToolResult, ToolFailed> => {
  const tool = tools.get(call.name)
  if (tool === undefined) return failed(`there is no tool "${call.name}"; there is ${listed(tools)}`)
  return parseArguments(call.arguments).pipe(
    Effect.flatMap((input) => tool.run(input, scope)),
    Effect.timeoutFail({
      duration: toolTimeLimit,
      onTimeout: () =>
        new ToolFailed({ reason: `the tool took longer than ${Duration.toSeconds(toolTimeLimit)} seconds` })
    })
  )
}

/** Some models write nothing at all for a call without arguments. */
const parseArguments = (text: string): Effect.Effect<unknown, ToolFailed> =>
  text.trim() === ""
    ? Effect.succeed({})
    : Effect.try({
        try: (): unknown => JSON.parse(text),
        catch: () => new ToolFailed({ reason: "the arguments are not valid JSON" })
      })

const failed = (reason: string) => Effect.fail(new ToolFailed({ reason }))

const listed = (tools: ReadonlyMap<string, Tool>): string =>
  tools.size === 0 ? "none" : [...tools.keys()].map((name) => `"${name}"`).join(", ")

const cutMark = "\n… (cut here: the output is longer than the model may read)"

const bounded = (output: string): string => {
  if (output.length <= maxToolOutput) return output
  const end = maxToolOutput - cutMark.length
  return output.slice(0, isHighSurrogate(output.charCodeAt(end - 1)) ? end - 1 : end) + cutMark
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
