/** A session as its first question makes it. */
import type { Acceptance } from "./Runs.ts"

export const opened = ({ session }: Acceptance) => ({
  chat_id: session.chatId,
  flow_id: session.flowId,
  flow_type: session.flowType,
  flow_name: session.flowName,
  name: session.name,
  user_id: session.userId,
  like: 0,
  dislike: 0,
  copied: 0,
  sensitive_status: 0,
  memory_floor: 0
})
