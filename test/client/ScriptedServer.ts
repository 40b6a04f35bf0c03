/** A socket server that a test plays by hand: it says what the test says, and hands out what it hears. */

import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import type { Fields } from "./wire.ts"

/** Values that arrive, and those who wait for them. */
export class Arrivals<A> {
  private readonly waiting: Array<A> = []
  private readonly takers: Array<(value: A) => void> = []

  push(value: A): void {
    const taker = this.takers.shift()
    if (taker === undefined) this.waiting.push(value)
    else taker(value)
  }

  take(): Promise<A> {
    const value = this.waiting.shift()
    return value === undefined ? new Promise((resolve) => this.takers.push(resolve)) : Promise.resolve(value)
  }

  get count(): number {
    return this.waiting.length
  }
}

export class Visitor {
  readonly query: URLSearchParams
  readonly path: string
  readonly ws: WebSocket
  readonly payloads = new Arrivals<Fields>()
  readonly gone = new Arrivals<number>()

  constructor(ws: WebSocket, url: string) {
    const parsed = new URL(url, "http://localhost")
    this.ws = ws
    this.path = parsed.pathname
    this.query = parsed.searchParams
    ws.on("message", (data) => this.payloads.push(JSON.parse(data.toString())))
    ws.on("close", (code) => this.gone.push(code))
  }

  say(...frames: ReadonlyArray<Fields>): void {
    for (const frame of frames) this.ws.send(JSON.stringify(frame))
  }
}

export interface Asked {
  readonly method: string
  readonly url: string
  readonly body: string
}

export class ScriptedServer {
  readonly visitors = new Arrivals<Visitor>()
  /** What was asked of REST. */
  readonly asked = new Arrivals<Asked>()
  /** What REST paths answer; 404 for others. */
  readonly rest = new Map<string, { readonly status: number; readonly body: Fields }>()
  /** While set, handshakes are answered with this status. */
  refuse: number | null = null
  /** The handshakes so answered. */
  readonly refused = new Arrivals<number>()
  private readonly server: Server
  private readonly sockets = new WebSocketServer({ noServer: true })

  private constructor(server: Server) {
    this.server = server
  }

  static async start(): Promise<ScriptedServer> {
    const server = createServer()
    const scripted = new ScriptedServer(server)
    server.on("request", (request, response) => {
      const { method = "", url = "" } = request
      let body = ""
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text
      })
      request.on("end", () => {
        scripted.asked.push({ method, url, body })
        const answer = scripted.rest.get(url.split("?")[0] ?? "")
        response.writeHead(answer?.status ?? 404, { "content-type": "application/json" })
        response.end(JSON.stringify(answer?.body ?? { status_code: 404, status_message: "not here" }))
      })
    })
    server.on("upgrade", (request, socket, head) => {
      if (scripted.refuse !== null) {
        socket.end(`HTTP/1.1 ${scripted.refuse} Refused\r\nConnection: close\r\n\r\n`)
        scripted.refused.push(scripted.refuse)
        return
      }
      scripted.sockets.handleUpgrade(request, socket, head, (ws) => {
        scripted.visitors.push(new Visitor(ws, request.url ?? ""))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return scripted
  }

  get url(): string {
    const address: AddressInfo | string | null = this.server.address()
    if (address === null || typeof address === "string") throw new Error("not listening")
    return `http://127.0.0.1:${address.port}`
  }

  async stop(): Promise<void> {
    for (const ws of this.sockets.clients) ws.terminate()
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}
