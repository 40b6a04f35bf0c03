/** A report that is asked like a chat: its sections one after the other, as Markdown. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Deltas, noUsage, type Passage, type RunEvent, type Usage } from "../../protocol/RunEvent.ts"
import type { Answering, Question, Report, ReportSection } from "../App.ts"
import { answered, distinct, sum } from "./chain.ts"

interface Progress {
  readonly text: string
  readonly usage: Usage
  readonly passages: ReadonlyArray<Passage>
}

export const answerReport = ({ sections }: Report, question: Question): Answering =>
  section(sections, question, { text: "", usage: noUsage, passages: [] })

const section = (sections: ReadonlyArray<ReportSection>, question: Question, done: Progress): Answering => {
  const [next, ...rest] = sections
  if (next === undefined) return Stream.succeed<RunEvent>(answered(done.text, done.usage, done.passages))
  const heading = next.question === "" ? "" : `### ${next.question}\n\n`
  const before = done.text === "" ? heading : `${done.text}\n\n${heading}`
  const opening = Stream.fromEffect(
    Effect.map(Deltas, (sink) => sink.text(before.slice(done.text.length)))
  ).pipe(Stream.drain)
  return Stream.concat(
    opening,
    Stream.flatMap(next.answer(question), (event) =>
      event._tag === "Answered"
        ? section(rest, question, {
            text: before + event.text,
            usage: sum(done.usage, event.usage),
            passages: distinct([...done.passages, ...event.passages])
          })
        : Stream.succeed(event)
    )
  )
}
