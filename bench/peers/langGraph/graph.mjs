/** One node that asks the model, over the messages of the thread. */
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph"
import { ChatOpenAI } from "@langchain/openai"

const model = new ChatOpenAI({
  model: process.env.OPENAI_MODEL ?? "",
  apiKey: process.env.OPENAI_API_KEY ?? "",
  configuration: { baseURL: process.env.OPENAI_BASE_URL },
  streamUsage: true,
  maxRetries: 0
})

export const graph = new StateGraph(MessagesAnnotation)
  .addNode("model", async ({ messages }) => ({
    messages: [await model.invoke([{ role: "system", content: "Answer." }, ...messages])]
  }))
  .addEdge(START, "model")
  .addEdge("model", END)
  .compile()
