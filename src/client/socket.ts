/** The little of a WebSocket that the client needs: the browser's, Node's own (22 and later) or `ws`. */
export interface SocketLike {
  send(data: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: "open" | "error", listener: () => void): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void
  ): void
}

export type SocketConstructor = new (url: string) => SocketLike

const isConstructor = (value: unknown): value is SocketConstructor => typeof value === "function"

/** The platform's own WebSocket. */
export const globalSocket = (): SocketConstructor => {
  const found: unknown = Reflect.get(globalThis, "WebSocket")
  if (isConstructor(found)) return found
  throw new Error(
    'this platform has no WebSocket of its own (Node before 22): pass one, connect({ WebSocket: (await import("ws")).WebSocket })'
  )
}
