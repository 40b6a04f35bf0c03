/** Apps for these tests, as Bisheng's editor saves them. */
import { edge, node } from "../app/graphs.ts"

type Fields = Readonly<Record<string, unknown>>
type Nodes = ReadonlyArray<ReturnType<typeof node>>
type Edges = ReadonlyArray<ReturnType<typeof edge>>

export interface SkillGraph {
  readonly nodes: Nodes
  readonly edges: Edges
}

export const fruit = "Apples are red.\n\nPears are green.\n\nPlums are blue."

/** Answers from passages of one file: `file` is the node's that it is uploaded for, or the file itself. */
export const retrieval = (
  combine: Fields = {},
  qa: Fields = {},
  more: { readonly nodes?: Nodes; readonly edges?: Edges } = {}
): SkillGraph => ({
  nodes: [
    node("file", "InputFileNode", { file_path: "", file_type: "Your document" }),
    node("load", "TextLoader", {}),
    node("split", "RecursiveCharacterTextSplitter", {
      chunk_size: 20,
      chunk_overlap: 0,
      separators: ["\n\n"],
      separator_type: "Text"
    }),
    node("store", "Milvus", { search_kwargs: '{"k": 2}' }),
    node("model", "ChatOpenAI", { model_name: "m" }),
    node("combine", "CombineDocsChain", { chain_type: "stuff", ...combine }),
    node("qa", "RetrievalQA", { input_key: "query", output_key: "result", ...qa }),
    ...(more.nodes ?? [])
  ],
  edges: [
    edge("file", "load", "file_path"),
    edge("load", "split", "documents"),
    edge("split", "store", "documents"),
    edge("store", "qa", "retriever"),
    edge("model", "combine", "llm"),
    edge("combine", "qa", "combine_documents_chain"),
    ...(more.edges ?? [])
  ]
})

/** The same with preset questions. */
export const batch = (...questions: ReadonlyArray<string>): SkillGraph =>
  retrieval(
    {},
    {},
    { nodes: [node("ask", "InputNode", { input: questions })], edges: [edge("ask", "qa", "input_node")] }
  )

/** A report in sections, one for each question, with a variable. */
export const report = (...questions: ReadonlyArray<string>): SkillGraph => ({
  nodes: [
    node("prompt", "PromptTemplate", { template: "Write on {topic}" }),
    node("model", "ChatOpenAI", {}),
    node("chain", "LLMChain"),
    node("ask", "InputNode", { input: questions }),
    node("who", "VariableNode", { variables: ["client"], variable_value: ["nobody"] }),
    node("report", "Report", { report_name: "Brief" })
  ],
  edges: [
    edge("prompt", "chain", "prompt"),
    edge("model", "chain", "llm"),
    edge("ask", "chain", "input_node"),
    edge("chain", "report", "chains"),
    edge("who", "report", "variables")
  ]
})

/** Two assistants, a person who is always asked, and a manager who picks. */
export const group: SkillGraph = {
  nodes: [
    node("chain", "AutoGenChain"),
    node("boss", "AutoGenGroupChatManager", { name: "Chair", max_round: 8 }),
    node("user", "AutoGenUser", { name: "You", human_input_mode: "ALWAYS" }),
    node("ada", "AutoGenAssistant", { name: "Ada", system_message: "Be Ada." }),
    node("bob", "AutoGenAssistant", { name: "Bob", system_message: "Be Bob." }),
    node("llm", "ChatOpenAI", {})
  ],
  edges: [
    edge("user", "chain", "user_proxy_agent"),
    edge("boss", "chain", "recipient"),
    edge("user", "boss", "agents"),
    edge("ada", "boss", "agents"),
    edge("bob", "boss", "agents"),
    edge("llm", "boss", "llm"),
    edge("llm", "ada", "llm"),
    edge("llm", "bob", "llm")
  ]
}
