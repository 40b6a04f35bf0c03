/**
 * Bisheng writes an app's id with or without dashes; it is kept as 32 lower-case hex digits. The answer is a
 * string of its own: cut from a longer one it would keep that one alive as long as itself.
 */
export const normalFlowId = (id: string): string | null => {
  const hex = id.replaceAll("-", "")
  return /^[0-9a-fA-F]{32}$/.test(hex) ? Buffer.from(hex, "hex").toString("hex") : null
}

const maxChatId = 64

/** A chat id is made by the client: any short printable word. */
export const isChatId = (id: string): boolean => id.length <= maxChatId && /^[A-Za-z0-9_.:-]+$/.test(id)
