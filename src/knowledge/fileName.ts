/** A file name that can be shown and stored: whatever a client sends, no path, no tricks, at most 255 bytes. */

const maxBytes = 255

export const safeFileName = (given: string): string => {
  const last = given.slice(0, 4_096).normalize("NFC").split(/[/\\]/).at(-1) ?? ""
  const clean = last
    // Control characters, and those that turn the reading direction to make ".exe" look like ".txt".
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^\.+/, "")
  if (clean === "") return "file"
  const dot = clean.lastIndexOf(".")
  const extension = dot > 0 && clean.length - dot <= 16 ? clean.slice(dot) : ""
  return (
    shortened(clean.slice(0, clean.length - extension.length), maxBytes - Buffer.byteLength(extension)) +
    extension
  )
}

const shortened = (text: string, bytes: number): string => {
  if (Buffer.byteLength(text) <= bytes) return text
  let kept = ""
  let size = 0
  for (const character of text) {
    size += Buffer.byteLength(character)
    if (size > bytes) break
    kept += character
  }
  return kept
}
