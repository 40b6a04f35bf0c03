/** Somebody who listens to a session or as a node, and what was said. */
import type { Listener } from "../../src/session/shared/LogStore.ts"

export const recorder = () => {
  const heard: Array<string> = []
  const noted: Array<string> = []
  let began = 0
  const listener: Listener = {
    heard: (text) => heard.push(text),
    noted: (text) => noted.push(text),
    began: () => {
      began += 1
    }
  }
  return { heard, noted, listener, began: () => began }
}
