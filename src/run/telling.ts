/**
 * How each event that is told at once is kept and shown: the row, stored first, and the frames that follow it.
 * One entry an event; what an event does to the run's state is the recorder's business.
 */
import * as Match from "effect/Match"
import type { Frame, Json } from "../protocol/frames.ts"
import type { Projection } from "../protocol/projection.ts"
import type { Answer, Passage, Progress, Told } from "../protocol/RunEvent.ts"
import { nodeMessage } from "../protocol/streaming.ts"
import { breakAnswer, type NewMessage, type NewRecallChunk } from "../storage/rows.ts"

export interface Telling {
  /** null: not worth keeping. */
  readonly row: NewMessage | null
  /** Whether it ends what was streamed before it. */
  readonly settles: boolean
  readonly frames: (messageId: number | null) => ReadonlyArray<Frame>
}

/** Of an answer, a question or a failure in a run of many: which one it is, so that a repeat can go on there. */
const placed = (row: number, progress: Progress, more: Readonly<Record<string, Json>> = {}): string =>
  JSON.stringify({ ...more, row, progress: { done: progress.done, total: progress.total } })

export const chunksOf = (passages: ReadonlyArray<Passage>): ReadonlyArray<NewRecallChunk> =>
  passages.map((passage) => ({
    text: passage.text,
    file_id: passage.fileId,
    file_name: passage.fileName,
    page: passage.page,
    score: passage.score,
    ...(passage.boxes === undefined ? {} : { boxes: JSON.stringify(passage.boxes) }),
    ...(passage.url === undefined ? {} : { url: passage.url })
  }))

/** A row of the bot's. */
const said = (category: string, message: string, more: Partial<NewMessage> = {}): NewMessage => ({
  is_bot: true,
  type: "end",
  category,
  message,
  ...more
})

export const answerRow = (answer: Answer, more: Partial<NewMessage> = {}): NewMessage =>
  said("answer", answer.text, {
    source: answer.source,
    extra: JSON.stringify(answer.extra ?? {}),
    passages: chunksOf(answer.passages),
    ...more
  })

const unkept = (frames: ReadonlyArray<Frame>): Telling => ({
  row: null,
  settles: false,
  frames: () => frames
})

const kept = (
  row: NewMessage,
  frames: (messageId: number | null) => ReadonlyArray<Frame>,
  settles = false
): Telling => ({ row, settles, frames })

/** `steps`: what has been shown as intermediate steps since the last answer. */
export const telling = (event: Told, frames: Projection, steps: string): Telling =>
  Match.valueTags(event, {
    Notice: ({ text, next }) =>
      unkept([frames.processingEnded(text), ...(next ? [frames.processingStarted()] : [])]),

    Asked: ({ text, row, progress }) => {
      const extra = placed(row, progress)
      return kept(said("question", text, { intermediate_steps: text, extra }), (message_id) => [
        frames.make("start", "question"),
        frames.make("end", "question", { intermediate_steps: text, message_id, extra })
      ])
    },

    PartAnswered: (event) => {
      const extra = placed(event.row, event.progress, event.extra)
      return kept(
        answerRow(event, { intermediate_steps: steps, extra }),
        (message_id) => [
          frames.make("start", "answer"),
          frames.make("end", "answer", {
            message: event.text,
            intermediate_steps: event.text,
            message_id,
            source: event.source,
            extra
          })
        ],
        true
      )
    },

    PartFailed: ({ reason, row, progress }) => {
      const extra = placed(row, progress, { failed: true })
      return kept(
        said("answer", reason, { intermediate_steps: steps, extra, remark: breakAnswer }),
        (message_id) => [
          frames.make("start", "answer"),
          frames.make("end", "answer", { message: reason, intermediate_steps: reason, message_id, extra })
        ],
        true
      )
    },

    Gathered: ({ text }) =>
      kept(said("report", "", { intermediate_steps: text }), (message_id) => [
        frames.make("start", "report"),
        frames.make("end", "report", { intermediate_steps: text, message_id })
      ]),

    FileMade: ({ name, url, unfilled }) => {
      const files = [{ file_url: url, file_name: name }]
      const extra = JSON.stringify({ unfilled })
      return kept(said("processing", "", { files: JSON.stringify(files), extra }), (message_id) => [
        frames.processingStarted(),
        frames.make("end", "processing", { files, message_id, extra })
      ])
    },

    Divider: ({ text }) =>
      kept(said("divider", text), (message_id) => [
        frames.make("start", "divider"),
        frames.make("end", "divider", { message: text, message_id })
      ]),

    Utterance: ({ text, sender, receiver }) => {
      const to =
        receiver === null ? null : { name: receiver.name, user_name: receiver.name, is_self: receiver.isSelf }
      const row = said("answer", text, {
        sender,
        intermediate_steps: steps,
        receiver: to === null ? "" : JSON.stringify(to)
      })
      return kept(
        row,
        (message_id) => [
          frames.make("end", "answer", { message: text, sender, receiver: to, message_id }),
          ...(to === null || to.is_self ? [] : [frames.make("start", "processing", { sender: to.name })])
        ],
        true
      )
    },

    Guide: ({ word, questions }) =>
      unkept([
        ...(word === "" ? [] : [frames.make("over", "guide_word", { message: word })]),
        ...(questions.length === 0 ? [] : [frames.make("over", "guide_question", { message: questions })])
      ]),

    NodeStarted: ({ uniqueId, nodeId, name }) =>
      unkept([frames.make("start", "node_run", { message: { unique_id: uniqueId, node_id: nodeId, name } })]),

    NodeEnded: ({ uniqueId, nodeId, name, reason, logData, inputData }) =>
      unkept([
        frames.make("end", "node_run", {
          message: {
            unique_id: uniqueId,
            node_id: nodeId,
            name,
            reason,
            log_data: logData,
            input_data: inputData
          }
        })
      ]),

    NodeSaid: ({ category, message, files, source, passages }) =>
      kept(
        said(category, JSON.stringify(message), {
          type: "over",
          source,
          files: files.length === 0 ? "" : JSON.stringify(files),
          passages: chunksOf(passages)
        }),
        (message_id) => [frames.make("over", category, { message, files, message_id, source })]
      ),

    NodeStreamed: ({ run, outputKey, text, reasoning, source, passages, extra: more }) => {
      const message = nodeMessage(run, outputKey, text, reasoning)
      const extra = JSON.stringify(more ?? {})
      return kept(
        said("stream_msg", JSON.stringify(message), { source, extra, passages: chunksOf(passages) }),
        (message_id) => [frames.make("end", "stream_msg", { message, message_id, source, extra })],
        true
      )
    }
  })
