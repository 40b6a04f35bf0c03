/** Somebody of the soak: comes to a session, asks, leaves at some moment or other, and may come back for what was missed. */
import { WebSocket } from "ws"

const patience = 20_000

/**
 * What a client remembers of a session from one visit to the next.
 * @typedef {{ chatId: string, epoch: string | null, seq: number }} Known
 */

/** One socket of a session. @param {import("./Client.mjs").Target} target @param {Known} known @param {boolean} resumes */
const open = ({ base, flowId, token }, known, resumes) => {
  const from = resumes && known.epoch !== null ? `&epoch=${known.epoch}&last_seq=${known.seq}` : ""
  const url = `${base}/api/v1/chat/${flowId}?chat_id=${known.chatId}&native=1&t=${token}${from}`
  const socket = new WebSocket(url, { perMessageDeflate: false })
  /** @type {Map<string, () => void>} */
  const awaited = new Map()
  socket.on("error", () => undefined)
  socket.on("message", (data) => {
    const frame = JSON.parse(data.toString())
    if (frame.seq !== undefined) known.seq = frame.seq
    const about = frame.category === "session" && frame.message?.epoch !== undefined
    if (about) {
      known.epoch = frame.message.epoch
      known.seq = frame.message.seq
    }
    awaited.get(about ? "session" : frame.category === "error" ? "error" : frame.type)?.()
  })
  /** Resolves with whether such a frame came before the socket closed. @param {string} what */
  const next = (what) =>
    new Promise((resolve) => {
      const end = (came) => () => {
        clearTimeout(timer)
        awaited.delete(what)
        socket.off("close", gone)
        resolve(came)
      }
      const gone = end(false)
      const timer = setTimeout(gone, patience)
      awaited.set(what, end(true))
      socket.on("close", gone)
    })
  const say = (message) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }
  const opened = new Promise((resolve) => {
    socket.once("open", () => resolve(true))
    socket.once("close", () => resolve(false))
  })
  return { opened, next, say, close: () => socket.close(1000), cut: () => socket.terminate() }
}

/** Answers how many runs it has begun, and how many things did not go as they should. */
export const visit = async (target, known) => {
  const chance = (share) => Math.random() < share
  const socket = open(target, known, chance(0.5))
  const tab = chance(0.1) ? open(target, { ...known }, false) : null
  let runs = 0
  let failures = 0
  if (!(await socket.opened)) failures += 1
  await tab?.opened
  const questions = 1 + Math.floor(Math.random() * 5)
  for (let i = 0; i < questions; i++) {
    if (chance(0.02)) {
      const refused = socket.next("error")
      socket.say({ inputs: 5 })
      if (!(await refused)) failures += 1
    }
    const stops = chance(0.05)
    const leaves = i === questions - 1 && chance(0.3)
    const begun = socket.next("begin")
    const closed = socket.next("close")
    socket.say({ inputs: { input: stops ? "tokens=50 delay=5" : "tokens=4 delay=1" } })
    runs += 1
    if (leaves || stops) await begun
    if (leaves) break
    if (stops) socket.say({ action: "stop" })
    if (!(await closed)) failures += 1
  }
  if (chance(0.5)) socket.close()
  else socket.cut()
  tab?.close()
  return { runs, failures }
}
