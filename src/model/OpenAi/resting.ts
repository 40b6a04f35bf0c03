/**
 * Reading that can rest. A read costs as much whether it finds one token or ten: where this process is busy, an answer that
 * goes on is read once in a window (at 500 answers of a token every 10 ms, a quarter of the reads and two thirds of the
 * CPU time of a token).
 */
import type * as Net from "node:net"
import { type PaceService, Patience } from "../../Pace.ts"

/**
 * To be called after each read, with the pieces of the answer that it brought: reads no more until the window is over, if there is one. Not
 * where answers come so slowly that no two pieces meet in a window: a rest costs as much as a read.
 */
export const restingIn = (pace: PaceService, socket: Net.Socket, goesOn: () => boolean) => {
  const patience = new Patience()
  let pieces = 0
  let isDue = false
  let hasRested = false
  const wake = (): void => {
    isDue = false
    hasRested = true
    socket.resume()
  }
  const rest = (): void => {
    if (hasRested) patience.waited(pieces)
    const mayRest = !hasRested || patience.mayWait()
    hasRested = false
    pieces = 0
    if (mayRest && goesOn() && pace.window() > 0) {
      socket.pause()
      pace.wait(wake)
    } else isDue = false
  }
  return (more: number): void => {
    pieces += more
    if (isDue || pace.window() === 0) return
    // What a rest has brought is known when the turn ends; whether to take one is known now, and mostly it is none.
    if (!hasRested && !patience.mayWait()) return
    isDue = true
    // When all that came is read: over TLS that is several pieces, each of which lets the socket go on.
    setImmediate(rest)
  }
}
