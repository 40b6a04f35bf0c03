/**
 * A client that does what people and their networks do: asks, asks two things at once, stops, reads slowly, goes
 * away and comes back elsewhere. What it decides comes from its seed. What it was shown is in its notes.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Notes } from "./Notes.ts"
import { type Access, historyAfter } from "./rest.ts"
import { dial, type Line } from "./socket.ts"

export interface ClientOptions {
  readonly name: string
  readonly native: boolean
  readonly flowId: string
  readonly chatId: string
  /** Through the proxy. */
  readonly access: Access
  readonly random: () => number
  /** Mean pause between two decisions, in ms. */
  readonly pace: number
  /** Whether to say something new: false at the end. */
  readonly isBusy: () => boolean
}

export interface ChaosClient {
  readonly notes: Notes
  /** Its life; ends when interrupted. */
  readonly live: Effect.Effect<never>
  /** Waits for nothing, and has read what it was told to read. */
  readonly isQuiet: () => boolean
}

/** Without a word for this long the server is asked for one; and so long it may take to answer. */
const quietFor = 3_000
const pongWithin = 4_000

const between = (random: () => number, low: number, high: number) => low + random() * (high - low)

export const chaosClient = (options: ClientOptions): ChaosClient => {
  const { random, native } = options
  const notes = new Notes(options.name, native)
  const isQuiet = () =>
    notes.attached && notes.unacknowledged.length === 0 && notes.loads === notes.wantedLoads
  const life = Effect.gen(function* () {
    yield* Effect.forkScoped(reading(notes, options))
    for (;;) {
      yield* Effect.scoped(visit(notes, options)).pipe(
        Effect.catchTag("DialFailed", ({ why }) => Effect.sync(() => notes.said(`not let in: ${why}`)))
      )
      yield* Effect.sleep(between(random, 50, 800))
    }
  })
  return { notes, live: Effect.scoped(life), isQuiet }
}

/** One socket, from its handshake to its end. */
const visit = (notes: Notes, options: ClientOptions) =>
  Effect.gen(function* () {
    const line = yield* dial(
      addressFor(notes, options),
      () => {
        notes.dialled()
        notes.sayAllAgain()
      },
      (text) => notes.heard(text)
    )
    const { text, since } = yield* Effect.map(line.ended, (text) => ({ text, since: Date.now() })).pipe(
      Effect.raceFirst(watching(notes, line)),
      Effect.raceFirst(insisting(notes, line)),
      Effect.raceFirst(deciding(notes, line, options)),
      Effect.onInterrupt(() => Effect.sync(() => notes.left("done")))
    )
    notes.left(text, since)
  })

const addressFor = ({ place, native }: Notes, { flowId, chatId, access }: ClientOptions): string => {
  const base = access.url.replace(/^http/, "ws")
  const query = new URLSearchParams({ chat_id: chatId, t: access.token })
  if (native) query.set("native", "1")
  if (native && place !== null) {
    query.set("last_seq", String(place.seq))
    query.set("epoch", place.epoch)
  }
  return `${base}/api/v1/chat/${flowId}?${query}`
}

/** Gives up a line that is silent. */
const watching = (notes: Notes, line: Line): Effect.Effect<Ending> =>
  Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep("500 millis")
      if (Date.now() - notes.heardAt < quietFor) continue
      const askedAt = Date.now()
      line.say({ action: "ping" })
      yield* Effect.sleep(pongWithin)
      if (notes.heardAt < askedAt) return { text: "silent", since: askedAt }
    }
  })

/** Says what the server has not answered for, until it does. */
const insisting = (notes: Notes, line: Line): Effect.Effect<never> =>
  Effect.sync(() => {
    for (const { id, text } of notes.due(Date.now())) say(notes, line, id, text)
  }).pipe(Effect.repeat(Schedule.spaced("300 millis")), Effect.zipRight(Effect.never))

const say = (notes: Notes, line: Line, id: string, text: string): void => {
  notes.said(`asks ${id}`)
  line.say(notes.native ? { inputs: { input: text }, client_msg_id: id } : { inputs: { input: text } })
}

/** So many words at such a pace: half a second to three. */
const newQuestion = (notes: Notes, random: () => number) => {
  const id = `${notes.client}-${notes.questions.size + 1}`
  const tokens = Math.round(between(random, 15, 60))
  const delay = Math.round(between(random, 30, 50))
  const reasoning = random() < 0.2 ? ` reasoning=${Math.round(between(random, 3, 15))}` : ""
  return notes.asked(id, `${id} tokens=${tokens} delay=${delay}${reasoning}`)
}

const maxWaiting = 3

/** Answers when the client has had enough of this socket. */
const deciding = (notes: Notes, line: Line, options: ClientOptions): Effect.Effect<Ending> =>
  Effect.gen(function* () {
    const { random, pace, isBusy } = options
    const ask = (): void => {
      const { id, text } = newQuestion(notes, random)
      // A native client's questions are said by whoever insists.
      if (!notes.native) say(notes, line, id, text)
    }
    for (;;) {
      yield* Effect.sleep(pace * between(random, 0.5, 1.5))
      const draw = random()
      if (!isBusy()) continue
      if (draw < 0.62) {
        if (notes.unacknowledged.length < maxWaiting) ask()
      } else if (draw < 0.72) {
        ask()
        ask()
      } else if (draw < 0.84) {
        if (notes.openRun === null) ask()
        // Not at once: an answer is to be in the middle.
        yield* Effect.sleep(between(random, 300, 1_500))
        notes.said("stops")
        line.say({ action: "stop" })
      } else if (draw < 0.92) {
        line.reading(false)
        yield* Effect.sleep(between(random, 500, 2_500))
        line.reading(true)
      } else {
        return { text: "dropped", since: Date.now() }
      }
    }
  })

/** Reads the history whenever the client was told that it has missed something. */
const reading = (notes: Notes, { access, flowId, chatId }: ClientOptions): Effect.Effect<never> =>
  Effect.gen(function* () {
    let upTo = 0
    for (;;) {
      yield* Effect.sleep("100 millis")
      const wanted = notes.wantedLoads
      if (notes.loads === wanted) continue
      const read = yield* Effect.option(historyAfter(access, { flowId, chatId }, upTo))
      // What was read before another gap says nothing about it.
      if (read._tag === "None" || notes.wantedLoads !== wanted) {
        yield* Effect.sleep(Duration.millis(300))
        continue
      }
      const told = read.value.filter(({ category }) => category === "question" || category === "answer")
      notes.loaded(told.map(({ id }) => id))
      notes.loads = wanted
      upTo = read.value.at(-1)?.id ?? upTo
    }
  })

interface Ending {
  readonly text: string
  readonly since: number
}
