/** One message with its passages; answers its id. */
import type { ChatMessage, NewMessage, Run } from "../rows.ts"
import type { MemoryState } from "./state.ts"

type Author = Pick<Run, "id" | "flow_id" | "chat_id" | "user_id">

export const insertMessage = (state: MemoryState, author: Author, message: NewMessage, now: Date): number => {
  const { passages } = message
  // Every field by its name: a row that is put together with `...` takes V8 several times as long.
  const row: ChatMessage = {
    id: state.next("message"),
    is_bot: message.is_bot,
    source: message.source ?? 0,
    type: message.type,
    category: message.category,
    flow_id: author.flow_id,
    chat_id: author.chat_id,
    user_id: author.user_id,
    run_id: author.id,
    liked: 0,
    solved: 0,
    copied: 0,
    sensitive_status: 0,
    message: message.message,
    intermediate_steps: message.intermediate_steps ?? "",
    files: message.files ?? "",
    extra: message.extra ?? "",
    remark: message.remark ?? "",
    sender: message.sender ?? "",
    receiver: message.receiver ?? "",
    create_time: now,
    update_time: now
  }
  state.messages.set(row.id, row)
  const chat = state.chats.get(row.chat_id)
  if (chat === undefined) state.chats.set(row.chat_id, [row.id])
  else chat.push(row.id)
  if (passages !== undefined && passages.length > 0) state.passages.set(row.id, passages)
  return row.id
}
