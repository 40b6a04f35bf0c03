/** Whether one native client was shown an unbroken log: no hole, no repeat, and no gap that was not told. */
import type { Complaint, View } from "./record.ts"
import { isNumbered, type Step, steps } from "./walk.ts"

export function* checkPlaces(view: View, chatId: string): Generator<Complaint> {
  for (const step of steps(view)) {
    for (const complaint of checkStep(step, view, chatId)) yield { ...complaint, at: step.seen.at }
  }
}

function* checkStep(
  { seen, place, dialled, untouched }: Step,
  view: View,
  chatId: string
): Generator<Complaint> {
  // What a server says of itself is of no chat.
  if (seen.kind === "frame" && seen.chatId !== chatId && (seen.chatId !== "" || seen.seq !== null)) {
    yield { kind: "stray", text: `a frame of chat ${seen.chatId}` }
  }
  if (!view.native) return
  if (seen.kind === "placed" && seen.recovered) {
    const told = `${seen.epoch}/${seen.seq}`
    if (dialled !== null) {
      const { resume } = dialled
      if (resume === null) {
        yield { kind: "false recovery", text: `recovered at ${told} without having asked` }
      } else if (resume.epoch !== seen.epoch || resume.seq !== seen.seq) {
        const text = `asked for ${resume.epoch}/${resume.seq}, recovered at ${told}`
        yield { kind: "false recovery", text }
      }
    } else if (!untouched && (place?.epoch !== seen.epoch || place.seq !== seen.seq)) {
      const text = `moved from ${place?.epoch}/${place?.seq} to ${told} as if nothing were missed`
      yield { kind: "false recovery", text }
    }
  }
  if (!isNumbered(seen)) return
  if (place === null || dialled !== null) {
    yield { kind: "unplaced", text: `frame ${seen.first} before the client was told where it is` }
  } else if (seen.first > place.seq + 1) {
    yield { kind: "hole", text: `${place.epoch}: after ${place.seq} came ${seen.first}` }
  } else if (seen.first <= place.seq) {
    yield { kind: "repeat", text: `${place.epoch}: after ${place.seq} came ${seen.first} again` }
  }
}
