/**
 * A log's frames on their way to other nodes: what one turn of the event loop added, as one text. A line a
 * frame; a delta's line holds its text alone, as the bubble it belongs to is defined once.
 *
 * Plain functions over text: every token of a shared session passes here once a node.
 */
import * as Schema from "effect/Schema"
import type { DeltaKind, StreamBubble } from "../protocol/streaming.ts"

export type SessionStatus = "idle" | "running" | "waiting"

/** How things stand in a session after its last frame. */
export interface Standing {
  readonly status: SessionStatus
  /** The run that is in progress, or waits for a person. */
  readonly runId: string | null
  /** The node that runs it; "" where nothing runs. */
  readonly owner: string
  /** The number of the run's first frame. */
  readonly runStart: number
}

export interface Head extends Standing {
  readonly epoch: string
  /** Number of the first frame; one more than the last known one where the batch has none. */
  readonly first: number
}

/** One numbered frame, or one delta. */
export type Line =
  | { readonly kind: "frame"; readonly json: string }
  | { readonly kind: DeltaKind; readonly text: string; readonly bubble: StreamBubble }

const Around = Schema.Tuple(Schema.String, Schema.String)
const decodeBubble = Schema.decodeSync(
  Schema.parseJson(Schema.Struct({ id: Schema.Number, content: Around, reasoning_content: Around }))
)
const decodeHead = Schema.decodeSync(
  Schema.parseJson(
    Schema.Struct({
      epoch: Schema.String,
      first: Schema.Number,
      status: Schema.Literal("idle", "running", "waiting"),
      runId: Schema.NullOr(Schema.String),
      owner: Schema.String,
      runStart: Schema.Number
    })
  )
)
const decodeText = Schema.decodeSync(Schema.parseJson(Schema.String))

/** Writes batches. Remembers which bubbles whoever reads them knows. */
export class BatchWriter {
  private readonly ids = new Map<StreamBubble, number>()
  private lastId = 0

  write(head: Head, lines: ReadonlyArray<Line>): string {
    const text = [JSON.stringify(head)]
    for (const line of lines) {
      if (line.kind === "frame") text.push(`F${line.json}`)
      else
        text.push(
          `${line.kind === "content" ? "C" : "R"}${this.idOf(line.bubble, text)}:${JSON.stringify(line.text)}`
        )
    }
    return text.join("\n")
  }

  /** Bubbles are defined again from here on, counted from 1: for a new run, or readers who know nothing. */
  forget(): void {
    this.ids.clear()
    this.lastId = 0
  }

  private idOf(bubble: StreamBubble, text: Array<string>): number {
    const known = this.ids.get(bubble)
    if (known !== undefined) return known
    this.lastId += 1
    this.ids.set(bubble, this.lastId)
    text.push(`B${JSON.stringify({ id: this.lastId, ...bubble })}`)
    return this.lastId
  }
}

/** Reads batches, in their order. */
export class BatchReader {
  private readonly bubbles = new Map<number, StreamBubble>()

  head(batch: string): Head {
    const end = batch.indexOf("\n")
    return decodeHead(end === -1 ? batch : batch.slice(0, end))
  }

  /** The number of its last frame. */
  lastOf(batch: string): number {
    const numbered = batch
      .split("\n")
      .slice(1)
      .filter((line) => !line.startsWith("B"))
    return this.head(batch).first - 1 + numbered.length
  }

  /**
   * The lines behind the head, without the first `skip` of them, which are known; null where a bubble was defined
   * in a batch that was not read.
   */
  lines(batch: string, skip: number): ReadonlyArray<Line> | null {
    const lines: Array<Line> = []
    let skipped = 0
    for (const line of batch.split("\n").slice(1)) {
      if (line[0] !== "B" && skipped < skip) {
        skipped += 1
        continue
      }
      const body = line.slice(1)
      switch (line[0]) {
        case "F":
          lines.push({ kind: "frame", json: body })
          break
        case "B": {
          const { id, ...bubble } = decodeBubble(body)
          // The writer counts anew: what it had defined before will not be named again.
          if (id === 1) this.bubbles.clear()
          this.bubbles.set(id, bubble)
          break
        }
        default: {
          const colon = body.indexOf(":")
          const bubble = this.bubbles.get(Number(body.slice(0, colon)))
          if (bubble === undefined) return null
          const kind = line[0] === "C" ? "content" : "reasoning_content"
          lines.push({ kind, text: decodeText(body.slice(colon + 1)), bubble })
        }
      }
    }
    return lines
  }
}
