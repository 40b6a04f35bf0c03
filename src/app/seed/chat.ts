import type { NewFlow } from "../../storage/Flows.ts"
import { usualPrompt } from "../skill/nodes/conversationChain.ts"
import { node, wire } from "./graph.ts"
import { systemUserId } from "./systemUser.ts"

export const chatSkill: NewFlow = {
  id: "c0110c0000000000000000000000c4a7",
  name: "Chat",
  description: "Talk with the model. It remembers the conversation.",
  flow_type: 1,
  status: 2,
  user_id: systemUserId,
  data: {
    nodes: [
      node("ConversationChain-chat", "ConversationChain", {
        prompt: { _type: "prompt", template: usualPrompt },
        input_key: "input"
      }),
      node("BishengLLM-chat", "BishengLLM", { temperature: 0.3 })
    ],
    edges: [wire("BishengLLM-chat", "ConversationChain-chat", "llm")],
    guide_word: "Hello! Ask me anything."
  }
}
