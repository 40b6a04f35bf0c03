/**
 * A group chat: participants speak by turns until one of them ends the round, the round is long enough, or a
 * person has the word. Then the stream ends with `Waiting`, and everything that is needed to go on is in its
 * state; nothing runs meanwhile.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { unwrapped } from "../../protocol/eventStream.ts"
import type { Receiver, RunEvent, Told } from "../../protocol/RunEvent.ts"
import type { Answering, Question, Reply, Resumption } from "../App.ts"
import { skillFailed } from "../skill/chain.ts"
import type { ParticipantPart } from "../skill/Part.ts"
import { isPerson } from "./Cast.ts"
import { choose } from "./choose.ts"
import { type Speech, type Stage, speak } from "./speak.ts"
import { decodePaused, heard, keptPaused, opened, passed, type Talk, withUsage } from "./Talk.ts"
import { askedFor, endsChat, endsRound, roundOver } from "./words.ts"

export interface GroupChat {
  readonly answer: (question: Question) => Answering
  readonly resume: Resumption
}

export const makeGroupChat = (stage: Stage): GroupChat => ({
  answer: (question) => hasSpoken(stage, opened(stage.cast.opener.name, question.text), question),
  resume: {
    accept: (state, reply) => {
      if (Either.isLeft(decodePaused(state))) return Either.left(unreadable)
      const text = replyText(reply)
      return text === null
        ? Either.left('a group chat is answered by {"action": "continue", "inputs": "…"}; no text: go on')
        : Either.right({ text })
    },
    run: (state, reply, question) =>
      Either.match(decodePaused(state), {
        onLeft: () => Stream.fail(skillFailed(unreadable)),
        onRight: ({ talk, waits, over }) => {
          const text = (replyText(reply) ?? "").trim()
          if (endsChat(text) || (over && text === "")) return ending(talk)
          if (text === "") return hasSpoken(stage, passed(talk, waits), question)
          return hasSpoken(stage, heard(over ? { ...talk, rounds: 0 } : talk, waits, text), question)
        }
      })
  }
})

const unreadable = "this chat was begun by another version of the server and cannot go on; ask again"

/** A text, or the text under `input`, as clients send it for questions. */
const replyText = ({ action, body }: Reply): string | null => {
  if (action !== "continue") return null
  if (body === null || body === undefined) return ""
  if (typeof body === "string") return body
  return Predicate.hasProperty(body, "input") && typeof body.input === "string" ? body.input : null
}

const scopeOf = ({ flowId }: Stage, { userId }: Question) => ({ flowId, userId })

/** After the question, and after a person had the word: nothing is left to be told of it. */
const hasSpoken = (stage: Stage, talk: Talk, question: Question): Answering => {
  if (talk.rounds >= stage.cast.maxRounds) return ending(talk)
  return unwrapped(
    Effect.map(choose(stage.cast, talk, stage.model, scopeOf(stage, question)), ({ next, usage }) => {
      const so = withUsage(talk, usage)
      if (next === null) return ending(so)
      if (!isPerson(next)) return speech(stage, next, so, question)
      const sender = stage.cast.manager?.name ?? stage.cast.opener.name
      return Stream.make<Array<RunEvent>>(
        { _tag: "Utterance", text: askedFor(next), sender, receiver: { name: next.name, isSelf: true } },
        waiting(so, next, false)
      )
    })
  )
}

const speech = (stage: Stage, speaker: ParticipantPart, talk: Talk, question: Question): Answering =>
  speak(stage, speaker, talk, question, (said) => {
    const so = heard(talk, speaker.name, said.text, said.usage)
    const over = endsRound(said.text) || so.rounds >= stage.cast.maxRounds
    const next = over
      ? Stream.succeed({ next: null, usage: { promptTokens: 0, completionTokens: 0 } })
      : Stream.fromEffect(choose(stage.cast, so, stage.model, scopeOf(stage, question)))
    return Stream.concat(
      // Nobody knows yet to whom it is said; but said it is, also if the choice is stopped or fails.
      Stream.succeed<RunEvent>(atStop(utterance(speaker, said, null))),
      next.pipe(
        Stream.catchAll((error) =>
          Stream.concat(Stream.succeed(utterance(speaker, said, null)), Stream.fail(error))
        ),
        Stream.flatMap((choice) =>
          "_tag" in choice
            ? Stream.succeed<RunEvent>(choice)
            : handOver(stage, speaker, said, withUsage(so, choice.usage), choice.next, question)
        )
      )
    )
  })

/** What was said is told together with whom it is said to, who then has the word. */
const handOver = (
  stage: Stage,
  speaker: ParticipantPart,
  said: Speech,
  talk: Talk,
  next: ParticipantPart | null,
  question: Question
): Answering => {
  const tell = (receiver: Receiver | null): Answering =>
    Stream.make<Array<RunEvent>>(nothingAtStop, utterance(speaker, said, receiver))
  if (next === null) {
    const { opener } = stage.cast
    if (opener.asked !== "terminate") return Stream.concat(tell(null), ending(talk))
    return Stream.concat(
      tell({ name: opener.name, isSelf: true }),
      Stream.succeed(waiting(talk, opener, true))
    )
  }
  const told = tell({ name: next.name, isSelf: isPerson(next) })
  return Stream.concat(
    told,
    isPerson(next) ? Stream.succeed(waiting(talk, next, false)) : speech(stage, next, talk, question)
  )
}

const utterance = (speaker: ParticipantPart, { text }: Speech, receiver: Receiver | null): Told => ({
  _tag: "Utterance",
  text,
  sender: speaker.name,
  receiver
})

const atStop = (told: Told): RunEvent => ({ _tag: "OnStop", events: Stream.succeed(told) })

const nothingAtStop: RunEvent = { _tag: "OnStop", events: Stream.empty }

const waiting = (talk: Talk, person: ParticipantPart, over: boolean): RunEvent => ({
  _tag: "Waiting",
  state: keptPaused({ version: 1, talk, waits: person.name, over })
})

const ending = ({ usage }: Talk): Answering =>
  Stream.make<Array<RunEvent>>({ _tag: "Divider", text: roundOver }, { _tag: "Finished", usage })
