import type { NewFlow } from "../../storage/Flows.ts"
import { node, wire } from "./graph.ts"
import { systemUserId } from "./systemUser.ts"

/** Two who look things up from two sides, and the person between them. */
export const groupChat: NewFlow = {
  id: "c0110c0000000000000000000060c4a7",
  name: "Round table",
  description: "Name a topic: a researcher and a critic discuss it, and ask you when it is your turn.",
  flow_type: 1,
  status: 2,
  user_id: systemUserId,
  data: {
    nodes: [
      node("AutoGenChain-table", "AutoGenChain"),
      node("AutoGenGroupChatManager-chair", "AutoGenGroupChatManager", { name: "Chair", max_round: 8 }),
      node("AutoGenUser-you", "AutoGenUser", { name: "You", human_input_mode: "ALWAYS" }),
      node("AutoGenAssistant-researcher", "AutoGenAssistant", {
        name: "Researcher",
        system_message: "You look facts up in the documents and name where they stand. Be brief."
      }),
      node("AutoGenAssistant-critic", "AutoGenAssistant", {
        name: "Critic",
        system_message: "You say what is missing or unclear in what was said, in two sentences."
      }),
      node("BishengLLM-model", "BishengLLM", { temperature: 0.3 })
    ],
    edges: [
      wire("AutoGenUser-you", "AutoGenChain-table", "user_proxy_agent"),
      wire("AutoGenGroupChatManager-chair", "AutoGenChain-table", "recipient"),
      wire("AutoGenUser-you", "AutoGenGroupChatManager-chair", "agents"),
      wire("AutoGenAssistant-researcher", "AutoGenGroupChatManager-chair", "agents"),
      wire("AutoGenAssistant-critic", "AutoGenGroupChatManager-chair", "agents"),
      wire("BishengLLM-model", "AutoGenGroupChatManager-chair", "llm"),
      wire("BishengLLM-model", "AutoGenAssistant-researcher", "llm"),
      wire("BishengLLM-model", "AutoGenAssistant-critic", "llm")
    ],
    guide_word: "Which topic shall we discuss? How a stop works, for example."
  }
}
