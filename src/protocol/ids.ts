/** Bisheng writes an app's id with or without dashes; it is kept as 32 lower-case hex digits. */
export const normalFlowId = (id: string): string | null => {
  const hex = id.replaceAll("-", "").toLowerCase()
  return /^[0-9a-f]{32}$/.test(hex) ? hex : null
}

const maxChatId = 64

/** A chat id is made by the client: any short printable word. */
export const isChatId = (id: string): boolean => id.length <= maxChatId && /^[A-Za-z0-9_.:-]+$/.test(id)
