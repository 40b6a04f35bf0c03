/** What a graph needs that cannot exist here: told when it is imported, and again when it is built. */
import type { Graph, GraphNode } from "./Graph.ts"
import { type NodeTable, nodeTypes } from "./nodeTypes.ts"

export interface GraphLack {
  readonly nodeId: string
  readonly type: string
  /** For people, after the node's name: "it runs Python code: this server runs none". */
  readonly reason: string
}

/** Every node that cannot run here, in the graph's order. Empty: all can. */
export const whatLacks = (graph: Graph, types: NodeTable = nodeTypes): ReadonlyArray<GraphLack> =>
  graph.nodes.flatMap((node) => {
    const reason = lackOf(types)(node)
    return reason === null ? [] : [{ nodeId: node.id, type: node.type, reason }]
  })

/** null: the node can run here. */
export const lackOf =
  (types: NodeTable) =>
  (node: GraphNode): string | null => {
    const known = types.get(node.type)
    if (known !== undefined) return known.lacks?.(node) ?? null
    return reasons.find(([pattern]) => pattern.test(node.type))?.[1] ?? "this server does not know its type"
  }

/** Types that graphs are known to have and that stay out, and why. */
const reasons: ReadonlyArray<readonly [RegExp, string]> = [
  [/SQL/i, "it needs a database to query: this server connects to none"],
  [
    /python|repl|code|^CSVAgent$|RuleBasedRouter|PandasAgent|DataFrame/i,
    "it runs Python code: this server runs none"
  ],
  [
    /^(?:Google|Serp|Serper|Searx|Search$|News API|TMDB|Podcast|Wolfram|Wikipedia)/i,
    "it needs a service outside that this server does not ask"
  ],
  [/^(?:Requests|APIChain|OpenAPI)/, "it sends requests to any address: this server sends none"],
  [
    /^(?:Json|DirectoryLoader|GitLoader|NotionDirectoryLoader|SlackDirectoryLoader|ReadTheDocsLoader|PyPDFDirectoryLoader)/,
    "it reads the server's own files: graphs may not"
  ],
  [/KVLoader|LoaderOutputChain/, "it needs a service that extracts fields: this server has none"],
  [
    /Summary.*Memory|EntityMemory|KGMemory|VectorStoreRetrieverMemory|ChatMessageHistory/,
    "this server does not keep memories of its kind: use ConversationBufferMemory or ConversationBufferWindowMemory"
  ],
  [
    /PowerPoint|Email|Image|SRT|EverNote|AirbyteJSON|CoNLLU|FacebookChat|TelegramChat/,
    "this server does not read files of its kind"
  ],
  [/Loader$/, "it loads from a place that this server does not reach: use a file, or WebBaseLoader"],
  [/Dalle|MidJourney/i, "it makes images: this server makes none"],
  [
    /^(?:LlamaCpp|CTransformers|HuggingFaceHub)$/,
    "its model runs inside the server: use a chat model node instead"
  ]
]
