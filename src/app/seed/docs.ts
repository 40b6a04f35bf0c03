import type { NewFlow } from "../../storage/Flows.ts"
import { systemUserId } from "./systemUser.ts"

export const docsAssistant: NewFlow = {
  id: "c0110c00000000000000000000000d0c",
  name: "Docs assistant",
  description: "Answers from documents, with the passages it used. Can calculate and tell the time.",
  flow_type: 5,
  status: 2,
  user_id: systemUserId,
  data: {
    prompt:
      "You are a helpful assistant. Answer questions from the documents: search them first, quote what you " +
      "use and name the file. If they say nothing about it, say so plainly. Use the calculator for arithmetic " +
      "and current_time for dates. Answer in the language of the question.",
    tools: ["calculator", "current_time", "search_documents"],
    guide_word: "Hello! I answer from the documents here, and from files that you upload.",
    guide_question: ["How do I start the server?", "What is 12.5 % of 3,400?", "What day is it today?"]
  }
}
