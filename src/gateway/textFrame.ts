/**
 * A text message as the bytes of one WebSocket frame (RFC 6455, 5.2: final, unmasked, as servers send), in a string
 * with a character for each byte, to be written as `latin1`.
 *
 * Not by `ws`, because a string goes to the kernel in one call and without a buffer of its own: with frames of 400
 * bytes that is a seventh of what `ws.send` costs with the system call, and all frames of a turn are one write. `ws`
 * writes its own frames (pings, close) to the same socket at once, so they keep their place.
 */
const finalText = "\x81"

const byte = (length: number, shift: number): string => String.fromCharCode((length >>> shift) & 255)

const header = (length: number): string => {
  if (length < 126) return finalText + String.fromCharCode(length)
  if (length < 65_536) return `${finalText}\x7e${byte(length, 8)}${byte(length, 0)}`
  return `${finalText}\x7f\0\0\0\0${byte(length, 24)}${byte(length, 16)}${byte(length, 8)}${byte(length, 0)}`
}

/** `length` of the text in UTF-8: what is put together from parts whose lengths are known need not be counted. */
export const textFrame = (text: string, length = Buffer.byteLength(text)): string => {
  return header(length) + (length === text.length ? text : Buffer.from(text).toString("latin1"))
}
