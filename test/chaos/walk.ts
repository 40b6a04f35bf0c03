/** Goes through what one client saw, keeping track of its sockets: where each was told to be, and what was a gap. */
import type { Place, Seen, Shown, View } from "./record.ts"

export interface Step {
  readonly seen: Seen
  /** Before it: the place that a native client has, by what it was told and shown. */
  readonly place: Place | null
  /** The first word of a socket: what was asked of it. Null later on. */
  readonly dialled: { readonly resume: Place | null } | null
  /** The client was told that it has missed something, or has only just come. */
  readonly fresh: boolean
  /** Told to have missed something. */
  readonly gap: boolean
  /** Nothing was shown from this log since the socket was told that it is empty. */
  readonly untouched: boolean
}

export type NumberedFrame = Shown & { readonly first: number; readonly seq: number }

export const isNumbered = (seen: Seen): seen is NumberedFrame =>
  seen.kind === "frame" && seen.seq !== null && seen.first !== null

export function* steps({ seen: all }: View): Generator<Step> {
  let place: Place | null = null
  let dialled: Step["dialled"] = null
  let untouched = false
  for (const seen of all) {
    const isFirst = dialled !== null
    const gap = seen.kind === "placed" && !seen.recovered && !(isFirst && dialled?.resume === null)
    const fresh = gap || (seen.kind === "placed" && isFirst && dialled?.resume === null)
    yield { seen, place, dialled, fresh, gap, untouched }
    if (seen.kind === "dialled") dialled = { resume: seen.resume }
    if (seen.kind === "placed") {
      place = { epoch: seen.epoch, seq: seen.seq }
      untouched = seen.seq === 0
      dialled = null
    }
    if (isNumbered(seen)) {
      untouched = false
      if (place !== null) place = { epoch: place.epoch, seq: seen.seq }
    }
  }
}
