/** A steady load of long answers, and what a server made of it. */
import { median, sum } from "./statistics.mjs"

/** Milliseconds over which the first answers begin: a crowd that comes at once is another case than this. */
const rampOf = (concurrency) => Math.max(500, 4 * concurrency)

/** Answers that may take longer than their tokens' pace; with more of them the load is not the one it claims to be. */
const maxLate = 0.02

/**
 * @typedef {{ concurrency: number, tokens: number, delay: number, slack: number, windowMs: number }} Level `slack`:
 *   milliseconds between an answer's end, by its pace, and the next question
 */

/**
 * One round at one server. `behind` says so when it could not keep the pace.
 * @param {import("./Load.mjs").Load} load @param {import("./servers.mjs").Server} server @param {Level} level
 */
export const steadyRound = async (load, server, { concurrency, tokens, delay, slack, windowMs }) => {
  const measured = await load.withClients(server, concurrency, (generators) =>
    load.measure(server, generators, {
      do: "stream",
      tokens,
      delay,
      slack,
      ramp: rampOf(concurrency),
      leadMs: rampOf(concurrency) + 500,
      windowMs
    })
  )
  const { answers, seconds, serverCpuMicros } = measured
  const total = (pick) => sum(answers.map(pick))
  const delivered = total((answer) => answer.tokens)
  const frames = total((answer) => answer.frames)
  const late = total((answer) => answer.late)
  const asked = total((answer) => answer.asked)
  return {
    measured,
    behind: late > asked * maxLate ? `${late} of ${asked} answers had not ended when the next was due` : null,
    cpuPerToken: serverCpuMicros / delivered,
    cpuPerFrame: serverCpuMicros / frames,
    framesPerSecond: frames / seconds,
    tokensPerSecond: delivered / seconds,
    framesPerToken: frames / delivered,
    bytesPerToken: total((answer) => answer.bytes) / delivered,
    firstToken: answers.flatMap((answer) => answer.firstToken),
    closeTail: answers.flatMap((answer) => answer.closeTail),
    closeGap: answers.flatMap((answer) => answer.closeGap)
  }
}

/** @typedef {Awaited<ReturnType<typeof steadyRound>>} Round */

/** Rounds as one: medians of figures, and the samples of all. @param {ReadonlyArray<Round>} rounds */
export const collapse = (rounds) => {
  const middle = (pick) => median(rounds.map(pick))
  return {
    cpuPerToken: middle((round) => round.cpuPerToken),
    cpuPerFrame: middle((round) => round.cpuPerFrame),
    framesPerSecond: middle((round) => round.framesPerSecond),
    tokensPerSecond: middle((round) => round.tokensPerSecond),
    framesPerToken: middle((round) => round.framesPerToken),
    bytesPerToken: middle((round) => round.bytesPerToken),
    firstToken: rounds.flatMap((round) => round.firstToken),
    closeTail: rounds.flatMap((round) => round.closeTail),
    closeGap: rounds.flatMap((round) => round.closeGap)
  }
}

/** What a round is told as. @param {string} name @param {Round} round */
export const describe = (name, { measured, cpuPerToken }) => {
  const percent = (share) => `${Math.round(share * 100)} %`
  return (
    `  ${name.padEnd(9)} ${cpuPerToken.toFixed(1).padStart(6)} µs/token` +
    `, server ${percent(measured.serverShare)} of a core` +
    `, upstream ${percent(measured.upstreamShare)}` +
    `, clients ${percent(measured.generatorShare)}, late ${measured.lagMillis.toFixed(0)} ms` +
    `, others ${percent(measured.strangers)}`
  )
}
