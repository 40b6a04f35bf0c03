/**
 * One client's memory: everything it was shown, where it is in the log, which of its questions the server has
 * acknowledged. Plain and synchronous: every frame of every client passes here.
 */
import { createHash } from "node:crypto"
import * as Predicate from "effect/Predicate"
import type { WireFrame } from "../support/client.ts"
import type { Asked, Place, Seen, Shown, View } from "./record.ts"

/** A question, and what became of it so far. */
export interface Question {
  readonly id: string
  readonly text: string
  readonly insistent: boolean
  acknowledged: boolean
  /** When to say it again; null: never. */
  sayAgainAt: number
}

/** An unacknowledged question is said again after this long, and after a refusal. */
const againAfter = 4_000
const againAfterRefusal = 1_000

export class Notes {
  readonly client: string
  readonly native: boolean
  readonly seen: Array<Seen> = []
  readonly questions = new Map<string, Question>()
  place: Place | null = null
  /** Of the run that was begun and not closed, as far as this client was told. */
  openRun: string | null = null
  attached = false
  /** When a byte was last heard. */
  heardAt = 0
  frames = 0
  gaps = 0
  /** How long each return to the session took, in ms. */
  readonly returns: Array<number> = []
  /** How often the history had to be read, and how often it was. */
  wantedLoads = 0
  loads = 0
  private lostAt: number | null = null
  private isFirst = false

  constructor(client: string, native: boolean) {
    this.client = client
    this.native = native
  }

  get view(): View {
    const asked: ReadonlyArray<Asked> = [...this.questions.values()]
    const { client, native, seen, attached } = this
    return { client, native, seen, asked, attached }
  }

  /** Its own questions that the server has not answered for. */
  get unacknowledged(): ReadonlyArray<Question> {
    return [...this.questions.values()].filter(({ acknowledged, insistent }) => insistent && !acknowledged)
  }

  dialled(): void {
    this.seen.push({ kind: "dialled", at: Date.now(), resume: this.place })
    this.attached = true
    this.isFirst = true
    this.heardAt = Date.now()
    // A classic client is told nothing of its place, and reads the history whenever it comes.
    if (!this.native) this.returned()
  }

  /** `since`: when the line went dead, as far as the client can know. */
  left(why: string, since = Date.now()): void {
    if (!this.attached) return
    this.seen.push({ kind: "left", at: Date.now(), why })
    this.attached = false
    this.openRun = null
    this.lostAt ??= since
  }

  said(what: string): void {
    this.seen.push({ kind: "said", at: Date.now(), what })
  }

  asked(id: string, text: string): Question {
    const question: Question = { id, text, insistent: this.native, acknowledged: false, sayAgainAt: 0 }
    this.questions.set(id, question)
    return question
  }

  /** Its questions whose time has come to be said, in their order. */
  due(now: number): ReadonlyArray<Question> {
    const due = this.unacknowledged.filter(({ sayAgainAt }) => sayAgainAt <= now)
    for (const question of due) question.sayAgainAt = now + againAfter
    return due
  }

  /** On a new socket nothing that was said before counts. */
  sayAllAgain(): void {
    for (const question of this.unacknowledged) question.sayAgainAt = 0
  }

  loaded(ids: ReadonlyArray<number>): void {
    this.seen.push({ kind: "loaded", at: Date.now(), ids })
  }

  heard(text: string): void {
    this.heardAt = Date.now()
    const frame: WireFrame = JSON.parse(text)
    if (frame.type === "info" && frame.category === "session") {
      this.placed(frame.message)
      return
    }
    if (frame.type === "info" && frame.message === "pong") return
    if (frame.type === "info" && frame.category === "queue") {
      this.acknowledge(field(frame.message, "client_msg_id"))
    }
    this.frames += 1
    const { seq } = frame
    if (frame.question !== undefined) this.acknowledge(frame.question.client_msg_id)
    if (frame.category === "error") this.refused(frame)
    if (seq !== undefined) {
      if (frame.type === "begin") this.openRun = frame.run_id ?? null
      if (frame.type === "close") this.openRun = null
      if (this.place !== null) this.place = { epoch: this.place.epoch, seq }
    }
    this.seen.push(this.shown(frame, text))
  }

  private placed(message: unknown): void {
    const at = Date.now()
    const epoch = String(field(message, "epoch"))
    const seq = Number(field(message, "seq"))
    const recovered = field(message, "recovered") === true
    const status = String(field(message, "status"))
    const runId = field(message, "run_id")
    const isNew = this.isFirst && this.place === null
    this.seen.push({
      kind: "placed",
      at,
      epoch,
      seq,
      recovered,
      status,
      runId: typeof runId === "string" ? runId : null
    })
    if (!recovered) {
      this.openRun = null
      this.wantedLoads += 1
      if (!isNew) this.gaps += 1
    }
    this.place = { epoch, seq }
    this.isFirst = false
    this.returned()
  }

  private returned(): void {
    if (this.lostAt !== null) this.returns.push(Date.now() - this.lostAt)
    this.lostAt = null
  }

  private acknowledge(id: unknown): void {
    const question = typeof id === "string" ? this.questions.get(id) : undefined
    if (question !== undefined) question.acknowledged = true
  }

  private refused({ extra }: WireFrame): void {
    const parsed: unknown = JSON.parse(extra)
    const id = field(parsed, "client_msg_id")
    const question = typeof id === "string" ? this.questions.get(id) : undefined
    if (question !== undefined) question.sayAgainAt = Date.now() + againAfterRefusal
  }

  private shown(frame: WireFrame, json: string): Shown {
    const { type, category, message, question, seq } = frame
    const isText = type === "stream"
    return {
      kind: "frame",
      at: this.heardAt,
      epoch: this.native && seq !== undefined ? (this.place?.epoch ?? null) : null,
      first: seq === undefined ? null : (frame.first_seq ?? seq),
      seq: seq ?? null,
      chatId: frame.chat_id,
      type,
      category,
      runId: frame.run_id ?? null,
      content: isText ? textIn(message, "content") : "",
      reasoning: isText ? textIn(message, "reasoning_content") : "",
      text: typeof message === "string" ? message : "",
      messageId: frame.message_id,
      question:
        question === undefined
          ? null
          : {
              messageId: question.message_id,
              message: question.message,
              clientMsgId: question.client_msg_id
            },
      status: category === "error" ? Number(field(message, "status_code")) : null,
      digest: isText ? "" : createHash("sha1").update(json).digest("base64").slice(0, 12)
    }
  }
}

const field = (value: unknown, name: string): unknown => (Predicate.isRecord(value) ? value[name] : undefined)

const textIn = (value: unknown, name: string): string => {
  const found = field(value, name)
  return typeof found === "string" ? found : ""
}
