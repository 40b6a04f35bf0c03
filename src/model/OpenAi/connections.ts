/**
 * Connections to the model's server that cost less to read. Two things take most of a token's CPU time here, and both
 * can be spared:
 *
 * - A read costs as much whether it finds one token or ten: where this process is busy, an answer that goes on is read
 *   once in a window (at 500 answers of a token every 10 ms, a quarter of the reads and two thirds of the CPU time of a
 *   token).
 * - Node's HTTP parser hands on each chunk through a stream: what is whole chunks of a body is taken before that
 *   (a third of what reading a token takes). Heads, ends, and whatever else is not plainly a chunk, are Node's to read.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import type { PaceService } from "../../Pace.ts"
import { Chunks, type Found } from "./Chunks.ts"

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

export const thriftyAgent = (secure: boolean, options: Http.AgentOptions): Http.Agent =>
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

/** Of all connections: what a read finds is taken, or copied, before the next one. */
const found = Buffer.allocUnsafeSlow(64 * 1024)

const readers = new WeakMap<Duplex, ConnectionReader>()

/** A socket stops at once when it is paused only where it reads into a buffer that it was given. */
const readInPlace = (create: (options: object) => Duplex | null | undefined, options: object) => {
  const reader = new ConnectionReader()
  const callback = (bytes: number) => {
    reader.read(bytes)
    return true
  }
  const connection = create({ ...options, onread: { buffer: found, callback } })
  if (connection) {
    reader.connection = connection
    readers.set(connection, reader)
  }
  return connection
}

/** Whoever takes the body of a response. */
interface Taking {
  readonly statusCode: number
  readonly chunks: Chunks
  readonly take: Found
}

class ConnectionReader {
  connection: Duplex | null = null
  /** Its head was read just now, by Node. */
  private asked: Taking | null = null
  /** Node reads its body still, until a read ends with a chunk. */
  private following: Taking | null = null
  private taking: Taking | null = null

  takeBody(taking: Taking): void {
    this.asked = taking
  }

  read(bytes: number): void {
    if (this.taking !== null) {
      this.take(this.taking, bytes)
      return
    }
    this.handOn(0, bytes)
    const began = this.asked
    const goesOn = this.following
    this.asked = null
    this.following = null
    if (began !== null) this.follow(began, endOfHead(bytes, began.statusCode), bytes)
    else if (goesOn !== null) this.follow(goesOn, 0, bytes)
  }

  /** To Node's parser, which may keep it. */
  private handOn(from: number, to: number): void {
    const piece = Buffer.allocUnsafe(to - from)
    found.copy(piece, 0, from, to)
    this.connection?.emit("data", piece)
  }

  private follow(body: Taking, from: number, to: number): void {
    if (from === -1 || body.chunks.read(found, from, to, ignored) < to) return
    if (body.chunks.isBetween) this.taking = body
    else this.following = body
  }

  private take(body: Taking, bytes: number): void {
    const { chunks, take } = body
    const end = chunks.read(found, 0, bytes, take)
    if (end === bytes) return
    this.taking = null
    const { begun } = chunks
    if (begun !== "") this.connection?.emit("data", Buffer.from(begun, "latin1"))
    this.handOn(end, bytes)
  }
}

const ignored: Found = () => undefined

const blankLine = Buffer.from("\r\n\r\n")

/** Where the head ends that these bytes begin with; -1 where they do not hold the whole head of that response. */
const endOfHead = (bytes: number, statusCode: number): number => {
  const at = found.subarray(0, bytes).indexOf(blankLine)
  return at !== -1 && found.toString("latin1", 0, 12) === `HTTP/1.1 ${statusCode}`
    ? at + blankLine.length
    : -1
}

/**
 * From the next read on, and until it ends, what comes of this response's body goes to `take` and not to the response,
 * where that can be; to be called when the response has just begun.
 */
export const takeBody = (response: Http.IncomingMessage, take: Found): void => {
  if (response.headers["transfer-encoding"] !== "chunked") return
  const { statusCode = 0 } = response
  readers.get(response.socket)?.takeBody({ statusCode, chunks: new Chunks(), take })
}

/** Reads that follow each other without a rest, where one has brought nothing. */
const restless = 16

/**
 * To be called for each piece of an answer that was read: reads no more until the window is over, if there is one. Not
 * where answers come so slowly that no two pieces meet in a window: a rest costs as much as a read.
 */
export const restingIn = (pace: PaceService, socket: Net.Socket, goesOn: () => boolean) => {
  let pieces = 0
  let isDue = false
  let hasRested = false
  let reads = restless
  const wake = (): void => {
    isDue = false
    hasRested = true
    socket.resume()
  }
  const rest = (): void => {
    if (hasRested && pieces < 2) reads = 0
    pieces = 0
    hasRested = false
    reads += 1
    if (reads > restless && goesOn() && pace.window() > 0) {
      socket.pause()
      pace.wait(wake)
    } else isDue = false
  }
  return (): void => {
    pieces += 1
    if (isDue || pace.window() === 0) return
    isDue = true
    // When all that came is read: over TLS that is several pieces, each of which lets the socket go on.
    setImmediate(rest)
  }
}
