/**
 * Connections to the model's server whose reading can rest. A read costs as much whether it finds one token or ten:
 * where this process is busy, an answer that goes on is read once in a window (at 500 answers of a token every 10 ms, a
 * quarter of the reads and two thirds of the CPU time of a token).
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import type { PaceService } from "../../Pace.ts"

declare module "node:http" {
  interface Agent {
    /** Documented by Node, and not in its types. */
    createConnection(
      options: object,
      onCreated: (error: Error | null, stream: Duplex) => void
    ): Duplex | null | undefined
  }
}

type OnCreated = Parameters<Http.Agent["createConnection"]>[1]

export const restingAgent = (secure: boolean, options: Http.AgentOptions): Http.Agent =>
  secure ? new SecureAgent(options) : new PlainAgent(options)

class PlainAgent extends Http.Agent {
  override createConnection(options: object, onCreated: OnCreated) {
    return readInPlace((all) => super.createConnection(all, onCreated), options)
  }
}

class SecureAgent extends Https.Agent {
  override createConnection(options: object, onCreated: OnCreated) {
    return readInPlace((all) => super.createConnection(all, onCreated), options)
  }
}

/** Of all connections: what a read finds is copied before the next one. */
const found = Buffer.allocUnsafeSlow(64 * 1024)

/** A socket stops at once when it is paused only where it reads into a buffer that it was given. */
const readInPlace = (create: (options: object) => Duplex | null | undefined, options: object) => {
  const connection = create({
    ...options,
    onread: {
      buffer: found,
      callback: (bytes: number) => {
        connection?.emit("data", Buffer.from(found.subarray(0, bytes)))
        return true
      }
    }
  })
  return connection
}

/** To be called whenever something of an answer was read: reads no more until the window is over, if there is one. */
export const restingIn = (pace: PaceService, socket: Net.Socket, goesOn: () => boolean) => {
  let rests = false
  const wake = (): void => {
    rests = false
    socket.resume()
  }
  const rest = (): void => {
    if (goesOn() && pace.window() > 0) {
      socket.pause()
      pace.wait(wake)
    } else rests = false
  }
  return (): void => {
    if (rests || pace.window() === 0) return
    rests = true
    // The HTTP client tells its socket to go on after each piece of a body, in this turn's ticks.
    queueMicrotask(rest)
  }
}
