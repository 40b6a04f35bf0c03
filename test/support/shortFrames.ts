/** Short text frames as the protocol page explains them, for tests that want to see whole ones. */

const places = ["content", "msg", "reasoning_content"]

export const isShort = (text: string): boolean => text.startsWith("[")

/** Reads what one socket says, in its order. */
export const wholeFrames = <Frame extends { readonly ref?: number; readonly message: unknown }>() => {
  const bearers = new Map<number, Frame>()
  return (text: string): Frame => {
    if (!isShort(text)) {
      const frame: Frame = JSON.parse(text)
      if (frame.ref !== undefined) bearers.set(frame.ref, frame)
      return frame
    }
    const [ref, seq, words, first_seq] = JSON.parse(text)
    const bearer = bearers.get(ref)
    if (bearer === undefined) throw new Error(`nothing bore the ref of ${text}`)
    const message = { ...Object(bearer.message) }
    const place = places.find((name) => typeof message[name] === "string" && message[name] !== "")
    if (place === undefined) throw new Error(`nothing was said in ${JSON.stringify(bearer)}`)
    message[place] = words
    // As parsed: a number that it does not have is left out.
    return JSON.parse(JSON.stringify({ ...bearer, message, seq, first_seq }))
  }
}
