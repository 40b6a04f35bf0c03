import type { NewFlow } from "../../storage/Flows.ts"
import { next, step } from "./graph.ts"
import { systemUserId } from "./systemUser.ts"

const dialog = {
  tab: {
    value: "dialog_input",
    options: [
      { key: "dialog_input", label: "Dialog" },
      { key: "form_input", label: "Form" }
    ]
  }
}

/** Asks for a topic, drafts from the documents, and lets the person decide: fine, again, or with changes. */
export const draftWorkflow: NewFlow = {
  id: "c0110c0000000000000000000000f10b",
  name: "Draft with me",
  description: "Asks what you want to know, answers from the documents, and goes on until you are content.",
  flow_type: 10,
  status: 2,
  user_id: systemUserId,
  data: {
    nodes: [
      step("start_draft", "Start", {
        guide_word: "Tell me a topic; I look it up and you decide whether the answer is good.",
        guide_question: ["How is the server started?", "What does a stop do?"],
        chat_history: 10,
        preset_question: []
      }),
      step("input_topic", "Topic", { user_input: "", form_input: [] }, dialog),
      step("rag_look", "Look it up", {
        user_question: ["input_topic.user_input"],
        knowledge: { type: "knowledge", value: [] },
        max_chunk_size: 15000,
        system_prompt: "Answer from the reference text alone, in the language of the question.",
        user_prompt:
          "Question: {{#rag_look.user_question#}}\nReference text: {{#rag_look.retrieved_result#}}\nAnswer:",
        temperature: 0.3,
        output_user: true,
        output_user_input: [{ key: "output_user_input", label: "output_user_input" }]
      }),
      {
        ...step("output_choice", "Your choice", {}),
        data: {
          id: "output_choice",
          name: "Your choice",
          type: "output",
          group_params: [
            {
              params: [
                { key: "message", value: { msg: "Is this what you wanted?", files: [] } },
                {
                  key: "output_result",
                  value: { type: "choose", value: "" },
                  options: [
                    { id: "c0ffee01", label: "Yes, done" },
                    { id: "c0ffee02", label: "Ask something else" }
                  ]
                }
              ]
            }
          ]
        }
      },
      step("end_draft", "End", {})
    ],
    edges: [
      next("start_draft", "input_topic"),
      next("input_topic", "rag_look"),
      next("rag_look", "output_choice"),
      next("output_choice", "end_draft", "c0ffee01"),
      next("output_choice", "input_topic", "c0ffee02")
    ]
  }
}
