/**
 * One HTTP request to the model's server, and its answer folded as it arrives.
 *
 * A leaf under Effect: body chunks go from the socket to the sink synchronously, with no fiber, stream or
 * promise between them (bench/model-client.ts compares this with the alternatives). Interrupting the effect
 * destroys the socket and nothing reaches the sink afterwards. The two time limits are timers of the socket.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import { performance } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import { Pace, type PaceService } from "../../Pace.ts"
import type { TokenSink } from "../LanguageModel.ts"
import { type Answer, answerFold } from "./Answer.ts"
import { type BodyFailure, bodyReader, type Verdict } from "./body.ts"
import { takeBody } from "./connections.ts"
import { restingIn } from "./resting.ts"

export interface Exchange {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** One of `thriftyAgent`, or an answer costs more to read than it has to. */
  readonly agent: Http.Agent
  readonly sink: TokenSink
  /** Until the answer's first byte, connecting included. */
  readonly firstByteMillis: number
  /** Between any two chunks of the answer. */
  readonly chunkMillis: number
}

type Failure =
  | BodyFailure
  | { readonly _tag: "Connection"; readonly cause: Error; readonly staleSocket: boolean }
  | { readonly _tag: "Timeout"; readonly waitingFor: "first byte" | "next chunk" }

export type ExchangeFailure = Failure & { readonly untouched: boolean }

/** Text, reasoning and tool arguments of one answer together. */
const maxAnswerChars = 4 * 1024 * 1024
/** After the finish reason only the usage and the end mark can follow: a server that keeps them is not waited for. */
const lastWordsMillis = 3_000
/** A body that does not end after its end mark costs its socket. */
const drainMillis = 500

export const exchange = (options: Exchange): Effect.Effect<Answer, ExchangeFailure> =>
  Effect.flatMap(Pace, (pace) => exchanged(options, pace))

const exchanged = (options: Exchange, pace: PaceService): Effect.Effect<Answer, ExchangeFailure> =>
  Effect.async((resume) => {
    const fold = answerFold(options.sink, maxAnswerChars)
    let open = true
    let waitingFor: "first byte" | "next chunk" = "first byte"

    const settle = (outcome: Effect.Effect<Answer, ExchangeFailure>, keepSocket = false): void => {
      if (!open) return
      open = false
      clearTimeout(timer)
      if (!keepSocket) request.destroy()
      resume(outcome)
    }
    const fail = (failure: Failure): void => settle(Effect.fail({ ...failure, untouched: fold.untouched() }))
    const onTime = (): void => {
      const left = lastChunk + patience - performance.now()
      if (left >= 1) timer = setTimeout(onTime, left)
      else if (fold.finished()) settle(Effect.succeed(fold.answer()))
      else fail({ _tag: "Timeout", waitingFor })
    }

    // A chunk notes the time and leaves the timer alone, which looks at the time when it is due.
    let lastChunk = performance.now()
    let patience = options.firstByteMillis
    let timer = setTimeout(onTime, patience)
    const waitNoLongerThan = (millis: number): void => {
      clearTimeout(timer)
      lastChunk = performance.now()
      patience = millis
      timer = setTimeout(onTime, millis)
    }

    const secure = options.url.protocol === "https:"
    const request = (secure ? Https : Http).request(options.url, {
      method: "POST",
      headers: { ...options.headers, "content-length": Buffer.byteLength(options.body) },
      agent: options.agent
    })
    // Stays for good: a destroyed request may report an error once more, and nobody would catch it.
    request.on("error", (cause) =>
      fold.finished()
        ? settle(Effect.succeed(fold.answer()))
        : waitingFor === "next chunk"
          ? fail({ _tag: "Cut" })
          : fail({ _tag: "Connection", cause, staleSocket: request.reusedSocket })
    )
    request.on("response", (response) => {
      waitingFor = "next chunk"
      waitNoLongerThan(options.chunkMillis)
      const read = bodyReader(response, fold)
      const goesOn = (): boolean => open && !fold.untouched() && !fold.finished()
      const rest = restingIn(pace, response.socket, goesOn)
      const onEnd = (ended: boolean): void => {
        if (!open) return
        const failure = read.end(ended)
        if (failure !== null) fail(failure)
        else settle(Effect.succeed(fold.answer()), ended)
      }
      const judge = (verdict: Verdict): void => {
        if (verdict === "done") {
          settle(Effect.succeed(fold.answer()), true)
          if (!response.complete) drain(response, request)
        } else if (verdict !== "more") fail(verdict)
      }
      // The sink threw: not the server's doing.
      const giveUp = (defect: unknown): void => settle(Effect.die(defect))
      let pieces = 0
      const onPiece = (bytes: Buffer, from: number, to: number): void => {
        if (!open) return
        pieces += 1
        try {
          judge(read.feed(bytes, from, to))
        } catch (defect) {
          giveUp(defect)
        }
      }
      let isComplete = false
      const onRead = (): void => {
        if (!open) return
        lastChunk = performance.now()
        try {
          judge(read.flush())
        } catch (defect) {
          giveUp(defect)
        }
        if (!open || isComplete) return
        isComplete = fold.finished()
        if (isComplete) waitNoLongerThan(Math.min(lastWordsMillis, options.chunkMillis))
        else rest(pieces)
        pieces = 0
      }
      response.on("data", (chunk: Buffer) => {
        onPiece(chunk, 0, chunk.length)
        onRead()
      })
      takeBody(response, onPiece, onRead)
      response.on("end", () => onEnd(true))
      response.on("error", () => onEnd(false))
      response.on("close", () => onEnd(false))
    })
    request.end(options.body)

    return Effect.sync(() => {
      open = false
      clearTimeout(timer)
      request.destroy()
    })
  })

/** Lets the rest of a finished body pass, so that its connection can carry the next request. */
const drain = (response: Http.IncomingMessage, request: Http.ClientRequest): void => {
  const timer = setTimeout(() => request.destroy(), drainMillis)
  response.once("close", () => clearTimeout(timer))
}
