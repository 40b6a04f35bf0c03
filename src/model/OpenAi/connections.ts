/**
 * Connections to the model's server whose bodies are taken as they are read. Node's HTTP parser hands on each chunk through
 * two streams, which is a third of what reading a token takes: what is whole chunks of a body is taken before that. Heads,
 * ends, and whatever else is not plainly a chunk, are Node's to read.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import { Chunks, type Found } from "./Chunks.ts"

declare module "node:http" {
  /** Documented by Node, and not in its types. */
  interface Agent {
    createConnection(
      options: object,
      onCreated: (error: Error | null, stream: Duplex) => void
    ): Duplex | null | undefined
    reuseSocket(socket: Net.Socket, request: Http.ClientRequest): void
  }
}

type OnCreated = Parameters<Http.Agent["createConnection"]>[1]

/** `timeout`: how long a connection is kept that nobody uses. */
export const thriftyAgent = (secure: boolean, options: Http.AgentOptions): Http.Agent =>
  secure ? new SecureAgent(options) : new PlainAgent(options)

class PlainAgent extends Http.Agent {
  override createConnection(options: object, onCreated: OnCreated) {
    return readInPlace((all) => super.createConnection(all, onCreated), options)
  }

  override reuseSocket(socket: Net.Socket, request: Http.ClientRequest) {
    socket.setTimeout(untimed)
    super.reuseSocket(socket, request)
  }
}

class SecureAgent extends Https.Agent {
  override createConnection(options: object, onCreated: OnCreated) {
    return readInPlace((all) => super.createConnection(all, onCreated), options)
  }

  override reuseSocket(socket: Net.Socket, request: Http.ClientRequest) {
    socket.setTimeout(untimed)
    super.reuseSocket(socket, request)
  }
}

/** Of all connections: what a read finds is taken, or copied, before the next one. */
const found = Buffer.allocUnsafeSlow(64 * 1024)

const readers = new WeakMap<Duplex, ConnectionReader>()

/**
 * Of a connection that is used: whoever waits for an answer has limits of its own, and Node would move its timer for
 * every token. Node sets it when the connection is free.
 */
const untimed = 0

/** A socket stops at once when it is paused only where it reads into a buffer that it was given. */
const readInPlace = (create: (options: object) => Duplex | null | undefined, options: object) => {
  const reader = new ConnectionReader()
  const callback = (bytes: number) => {
    reader.read(bytes)
    return true
  }
  const connection = create({ ...options, timeout: untimed, onread: { buffer: found, callback } })
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
  /** What one read has found is taken. */
  readonly onRead: () => void
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
    const { chunks, take, onRead } = body
    const end = chunks.read(found, 0, bytes, take)
    onRead()
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
export const takeBody = (response: Http.IncomingMessage, take: Found, onRead: () => void): void => {
  if (response.headers["transfer-encoding"] !== "chunked") return
  const { statusCode = 0 } = response
  readers.get(response.socket)?.takeBody({ statusCode, chunks: new Chunks(), take, onRead })
}
