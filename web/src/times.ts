/** Times in the reader's own zone and way of writing. */
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" })
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" })
const longDay = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" })

export const fullTime = (time: Date): string => full.format(time)

/** The hour today, the day this year, the whole date before. */
export const shortTime = (time: Date, now: Date = new Date()): string => {
  if (time.toDateString() === now.toDateString()) return clock.format(time)
  return (time.getFullYear() === now.getFullYear() ? day : longDay).format(time)
}
