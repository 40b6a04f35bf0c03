import type { NewFlow } from "../../storage/Flows.ts"
import { node, wire } from "./graph.ts"
import { systemUserId } from "./systemUser.ts"

/** Answers a list of questions from the app's documents and puts the answers into a Word file. */
export const reportSkill: NewFlow = {
  id: "c0110c0000000000000000000005e907",
  name: "Report",
  description: "Answers fixed questions from the documents and writes the answers into a Word file.",
  flow_type: 1,
  status: 2,
  user_id: systemUserId,
  data: {
    nodes: [
      node("InputNode-sections", "InputNode", {
        input: [
          "How is the server started?",
          "Where are messages stored?",
          "What happens to a run when its server is killed?"
        ]
      }),
      node("OpenAIProxyEmbedding-embed", "OpenAIProxyEmbedding"),
      node("Milvus-store", "Milvus", { search_kwargs: "{}" }),
      node("BishengLLM-model", "BishengLLM", { temperature: 0.3 }),
      node("CombineDocsChain-answer", "CombineDocsChain", { chain_type: "stuff" }),
      node("RetrievalQA-ask", "RetrievalQA", {
        input_key: "query",
        output_key: "result",
        return_source_documents: true
      }),
      node("Report-brief", "Report", { report_name: "Brief" })
    ],
    edges: [
      wire("OpenAIProxyEmbedding-embed", "Milvus-store", "embedding"),
      wire("Milvus-store", "RetrievalQA-ask", "retriever"),
      wire("BishengLLM-model", "CombineDocsChain-answer", "llm"),
      wire("CombineDocsChain-answer", "RetrievalQA-ask", "combine_documents_chain"),
      wire("InputNode-sections", "RetrievalQA-ask", "input_node"),
      wire("RetrievalQA-ask", "Report-brief", "chains")
    ],
    guide_word: "Start, and I write a brief about this server as a Word file."
  }
}
