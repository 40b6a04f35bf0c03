/**
 * What each event of a run looks like on the wire. Pure: one run's address in, frames out; when a frame may
 * leave (after its row is committed) is the recorder's business.
 */
import type { Told } from "./errors.ts"
import { type Address, type Frame, frame, type QuestionEcho } from "./frames.ts"
import type { Answered, NodeRun, ToolEnded, ToolStarted } from "./RunEvent.ts"
import { nodeBubble, type nodeMessage, runBubble, type StreamBubble } from "./streaming.ts"

/** How an app's run is told. */
export interface Profile {
  readonly begin: "system" | "processing"
  /** Whether the answer covers what was streamed. */
  readonly answerEnd: "end" | "end_cover"
  /** Whether a bubble for what is going on is open from the beginning. A workflow's nodes open their own. */
  readonly opens: boolean
}

export const profiles: Readonly<Record<"skill" | "assistant" | "workflow", Profile>> = {
  skill: { begin: "system", answerEnd: "end", opens: true },
  assistant: { begin: "processing", answerEnd: "end_cover", opens: true },
  workflow: { begin: "processing", answerEnd: "end", opens: false }
}

/** A tool's bubble as clients read it: JSON text in `message`. */
export const toolMessage = (fields: Readonly<Record<string, unknown>>): string => JSON.stringify(fields)

export const toolInput = (event: ToolStarted) => ({
  tool_key: event.name,
  serialized: { name: event.name },
  input_str: event.input
})

export const toolInputSteps = (event: ToolStarted): string => `Tool input: \n\n${event.input}\n\n`

export const toolOutputSteps = (output: string): string => `Tool output: \n\n${output}`

export class Projection {
  private readonly address: Address
  private readonly runId: string
  private readonly userId: number
  readonly profile: Profile

  constructor(address: Address, runId: string, userId: number, profile: Profile) {
    this.address = address
    this.runId = runId
    this.userId = userId
    this.profile = profile
  }

  /** The run's own stream of text. */
  bubble(): StreamBubble {
    return runBubble(this.address, this.runId)
  }

  nodeBubble(run: NodeRun, outputKey: string): StreamBubble {
    return nodeBubble(this.address, this.runId, run, outputKey)
  }

  begin(question: QuestionEcho): Frame {
    return this.make("begin", this.profile.begin, { question })
  }

  processingStarted(): Frame {
    return this.make("start", "processing")
  }

  step(text: string): Frame {
    return this.make("stream", "processing", {
      message: { content: "", reasoning_content: "" },
      intermediate_steps: text
    })
  }

  toolStarted(event: ToolStarted): Frame {
    return this.make("start", event.category, {
      message: toolMessage(toolInput(event)),
      intermediate_steps: toolInputSteps(event),
      extra: JSON.stringify({ run_id: event.id })
    })
  }

  toolEnded(started: ToolStarted, ended: ToolEnded, messageId: number | null): Frame {
    return this.make("end", started.category, {
      message: toolMessage({ tool_key: started.name, output: ended.output }),
      intermediate_steps: toolOutputSteps(ended.output),
      message_id: messageId,
      extra: JSON.stringify(ended.failed ? { run_id: started.id, failed: true } : { run_id: started.id })
    })
  }

  processingEnded(steps: string): Frame {
    return this.make("end", "processing", { intermediate_steps: steps })
  }

  answer(event: Answered, streamed: boolean, messageId: number | null): ReadonlyArray<Frame> {
    return [
      this.make("start", "answer"),
      this.make(streamed ? this.profile.answerEnd : "end", "answer", {
        message: event.text,
        message_id: messageId,
        source: event.source,
        extra: JSON.stringify(event.extra ?? {})
      })
    ]
  }

  /** The end of a node's stream that was cut short, as it was stored. */
  nodeBroken(message: ReturnType<typeof nodeMessage>, messageId: number | null): Frame {
    return this.make("end", "stream_msg", { message, message_id: messageId })
  }

  /** A bubble that was cut short, as it was stored. */
  broken(category: "answer" | "reasoning_answer", text: string, messageId: number | null): Frame {
    return this.make("end", category, { message: text, message_id: messageId })
  }

  /** The empty `end` that closes whatever bubble a stopped run left open. */
  stopped(): Frame {
    return this.make("end", "processing")
  }

  failed(told: Told): Frame {
    return this.make("end", "error", {
      message: {
        status_code: told.status_code,
        status_message: told.status_message,
        data: told.data
      }
    })
  }

  closed(): Frame {
    return this.make("close", "processing")
  }

  make(type: Frame["type"], category: Frame["category"], fields: Partial<Frame> = {}): Frame {
    return frame(this.address, type, category, { user_id: this.userId, run_id: this.runId, ...fields })
  }
}
