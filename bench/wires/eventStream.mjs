/** A question as one POST whose answer is a stream of server-sent events. */
import { Agent, request as httpRequest } from "node:http"

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

/** Splits a body into events. @param {(event: string, data: string) => void} onEvent */
const reader = (onEvent) => {
  let rest = ""
  return (part) => {
    rest += part
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ""
    for (const block of blocks) {
      let event = "message"
      let data = ""
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith("data:")) data += line.slice(5).trimStart()
        else if (line.startsWith("event:")) event = line.slice(6).trim()
      }
      onEvent(event, data)
    }
  }
}

/**
 * Asks, tells `heard` of bytes, frames and the end, and answers how to break it off. Every event is a frame; bytes are
 * those of the body, without HTTP's own.
 * @param {string} url @param {object} body @param {import("../Client.mjs").Heard} heard
 * @param {(event: string, data: string) => void} onEvent
 */
export const askForEvents = (url, body, heard, onEvent) => {
  const text = JSON.stringify(body)
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) }
  let over = false
  const end = (failure) => {
    if (over) return
    over = true
    if (failure) heard.failed(failure)
    heard.ended()
  }
  const request = httpRequest(url, { method: "POST", agent, headers }, (response) => {
    if (response.statusCode !== 200) end(`refused with ${response.statusCode}`)
    const read = reader((event, data) => {
      heard.frame(0)
      onEvent(event, data)
    })
    response.setEncoding("utf8")
    response.on("data", (part) => {
      heard.bytes(Buffer.byteLength(part))
      read(part)
    })
    response.on("end", () => end())
    response.on("error", (error) => end(String(error)))
  })
  request.on("error", (error) => end(String(error)))
  request.end(text)
  return () => {
    end()
    request.destroy()
  }
}
