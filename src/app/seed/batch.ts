import type { NewFlow } from "../../storage/Flows.ts"
import { node, wire } from "./graph.ts"
import { systemUserId } from "./systemUser.ts"

/** Reads one uploaded file and answers a list of questions from it, one by one. */
export const batchSkill: NewFlow = {
  id: "c0110c000000000000000000000ba7c4",
  name: "Ask a document",
  description: "Upload a document; it is summed up, and every question of a list is answered from it.",
  flow_type: 1,
  status: 2,
  user_id: systemUserId,
  data: {
    nodes: [
      node("InputFileNode-file", "InputFileNode", { file_path: "", file_type: "Your document" }),
      node("InputNode-questions", "InputNode", {
        input: [
          "What is this document about?",
          "Which facts and figures does it name?",
          "What is to be done?"
        ]
      }),
      node("ElemUnstructuredLoaderV0-load", "ElemUnstructuredLoaderV0", { metadata: "{}" }),
      node("RecursiveCharacterTextSplitter-split", "RecursiveCharacterTextSplitter", {
        chunk_size: 1000,
        chunk_overlap: 100,
        separators: "\\n\\n",
        separator_type: "Text"
      }),
      node("OpenAIProxyEmbedding-embed", "OpenAIProxyEmbedding"),
      node("Milvus-store", "Milvus", { search_kwargs: "{}" }),
      node("BishengLLM-model", "BishengLLM", { temperature: 0.3 }),
      node("CombineDocsChain-answer", "CombineDocsChain", { chain_type: "stuff" }),
      node("RetrievalQA-ask", "RetrievalQA", {
        input_key: "query",
        output_key: "result",
        return_source_documents: true
      })
    ],
    edges: [
      wire("InputFileNode-file", "ElemUnstructuredLoaderV0-load", "file_path"),
      wire("ElemUnstructuredLoaderV0-load", "RecursiveCharacterTextSplitter-split", "documents"),
      wire("RecursiveCharacterTextSplitter-split", "Milvus-store", "documents"),
      wire("OpenAIProxyEmbedding-embed", "Milvus-store", "embedding"),
      wire("Milvus-store", "RetrievalQA-ask", "retriever"),
      wire("BishengLLM-model", "CombineDocsChain-answer", "llm"),
      wire("CombineDocsChain-answer", "RetrievalQA-ask", "combine_documents_chain"),
      wire("InputNode-questions", "RetrievalQA-ask", "input_node")
    ],
    guide_word: "Upload a document, then let me answer your list of questions from it."
  }
}
