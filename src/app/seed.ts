/**
 * The apps of a fresh start, so that there is something real to talk to within a minute: run once at start,
 * after the migrations. Does nothing as soon as there is any app.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type FlowStore, Flows, type NewFlow } from "../storage/Flows.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { usualPrompt } from "./skill/nodes/conversationChain.ts"

/** Nobody's user id: built-in apps belong to the system. */
export const systemUserId = 0

export const chatSkillId = "c0110c0000000000000000000000c4a7"
export const docsAssistantId = "c0110c00000000000000000000000d0c"

const node = (id: string, type: string, template: Readonly<Record<string, unknown>>) => ({
  id,
  type: "genericNode",
  data: { id, type, node: { template: { _type: type, ...template } } }
})

const chatSkill: NewFlow = {
  id: chatSkillId,
  name: "Chat",
  description: "Talk with the model. It remembers the conversation.",
  flow_type: 1,
  status: 2,
  user_id: systemUserId,
  data: {
    nodes: [
      node("ConversationChain-chat", "ConversationChain", {
        prompt: { type: "BasePromptTemplate", value: { _type: "prompt", template: usualPrompt } },
        input_key: { type: "str", value: "input" }
      }),
      node("BishengLLM-chat", "BishengLLM", { temperature: { type: "float", value: 0.3 } })
    ],
    edges: [
      {
        id: "BishengLLM-chat-ConversationChain-chat",
        source: "BishengLLM-chat",
        target: "ConversationChain-chat",
        sourceHandle: "BishengLLM|BishengLLM-chat|BaseLanguageModel",
        targetHandle: "BaseLanguageModel|llm|ConversationChain-chat"
      }
    ],
    guide_word: "Hello! Ask me anything."
  }
}

const docsAssistant: NewFlow = {
  id: docsAssistantId,
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

/** Safe when several servers start at once on one database. */
export const seedApps: Effect.Effect<void, StorageError, Flows> = Effect.gen(function* () {
  const flows = yield* Flows
  const { total } = yield* flows.list({
    visibleTo: null,
    flowType: null,
    keyword: "",
    onlineOnly: false,
    page: 1,
    limit: 1
  })
  if (total > 0) return
  yield* Effect.forEach([chatSkill, docsAssistant], (app) => createOnce(flows, app), { discard: true })
})

const createOnce = (flows: FlowStore, app: NewFlow): Effect.Effect<void, StorageError> =>
  flows.create(app).pipe(
    Effect.asVoid,
    Effect.catchAll((error) =>
      Effect.flatMap(flows.get(app.id), (found) =>
        // Here already: another server was faster. Not here, and yet refused: someone deleted it, and a
        // deleted id cannot be used again, which is no reason not to start.
        Option.isSome(found)
          ? Effect.void
          : Effect.logWarning(`the built-in app "${app.name}" was not created`, error.operation)
      )
    )
  )
