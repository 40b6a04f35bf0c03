/** The built page on a server that a test plays by hand: for what no built-in app does. */
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { WebSocketServer } from "ws"
import { Arrivals, Visitor as Player } from "../client/ScriptedServer.ts"
import { type Fields, flowId } from "../client/wire.ts"

const pages = fileURLToPath(new URL("../../dist/web", import.meta.url))
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml"
}

/** An app of the list, as the server gives it. */
export const appOf = (flowType: number, name: string, more: Fields = {}): Fields => ({
  id: flowId,
  name,
  description: `${name}, played by hand`,
  flow_type: flowType,
  status: 2,
  guide_word: "",
  guide_question: [],
  ...more
})

export class Stage {
  readonly players = new Arrivals<Player>()
  /** What REST paths answer, by method and path; `data` of the envelope. */
  readonly rest = new Map<string, unknown>([
    ["GET /api/v1/user/info", { user_id: 1, user_name: "guest-1", role: "guest" }],
    ["GET /api/v1/chat/list", { data: [], total: 0 }],
    ["GET /api/v1/chat/history", []]
  ])
  private readonly server: Server = createServer()
  private readonly sockets = new WebSocketServer({ noServer: true })

  static async open(): Promise<Stage> {
    const stage = new Stage()
    stage.server.on("request", (request, response) => {
      const path = (request.url ?? "").split("?")[0] ?? ""
      request.resume()
      if (!path.startsWith("/api/")) {
        const file = path === "/" ? "/index.html" : path
        readFile(join(pages, file)).then(
          (body) =>
            response.writeHead(200, { "content-type": types[extname(file)] ?? "text/plain" }).end(body),
          () => response.writeHead(404).end()
        )
        return
      }
      const data = stage.rest.get(`${request.method} ${path}`)
      const status = data === undefined ? 404 : 200
      response.writeHead(status, { "content-type": "application/json" })
      response.end(
        JSON.stringify({ status_code: status, status_message: "not on this stage", data: data ?? null })
      )
    })
    stage.server.on("upgrade", (request, socket, head) => {
      stage.sockets.handleUpgrade(request, socket, head, (ws) => {
        const player = new Player(ws, request.url ?? "")
        stage.players.push(player)
      })
    })
    await new Promise<void>((resolve) => stage.server.listen(0, "127.0.0.1", resolve))
    return stage
  }

  get url(): string {
    const address: AddressInfo | string | null = this.server.address()
    if (address === null || typeof address === "string") throw new Error("not listening")
    return `http://127.0.0.1:${address.port}`
  }

  async close(): Promise<void> {
    for (const ws of this.sockets.clients) ws.terminate()
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}
