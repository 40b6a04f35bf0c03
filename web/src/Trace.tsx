/** A workflow's nodes as they ran, folded into one line. */
import { Collapsible } from "radix-ui"
import type { NodeTrace } from "../../src/client/client.ts"
import { Check, Chevron, Warning } from "./icons.tsx"

const states = { running: "running…", done: "done", failed: "failed", stopped: "stopped" }

const summary = (nodes: ReadonlyArray<NodeTrace>): string => {
  const running = nodes.findLast(({ status }) => status === "running")
  if (running !== undefined) return `Running ${running.name}…`
  const failed = nodes.find(({ status }) => status === "failed")
  if (failed !== undefined) return `${failed.name} failed`
  return nodes.length === 1 ? "1 step ran" : `${nodes.length} steps ran`
}

const seconds = (node: NodeTrace): string =>
  node.endedAt === null ? "" : `${((node.endedAt - node.startedAt) / 1000).toFixed(1)} s`

export const Trace = ({ nodes }: { readonly nodes: ReadonlyArray<NodeTrace> }) => {
  if (nodes.length === 0) return null
  return (
    <Collapsible.Root className="work trace">
      <Collapsible.Trigger className="work-summary">
        <Chevron />
        {summary(nodes)}
      </Collapsible.Trigger>
      <Collapsible.Content className="work-body">
        <ol className="nodes">
          {nodes.map((node) => (
            <li key={node.uniqueId} className={node.status}>
              <details className={node.status === "failed" ? "tool failed" : "tool"}>
                <summary>
                  {node.status === "failed" ? <Warning /> : <Check />}
                  <span>{node.name || node.nodeId}</span>
                  <span className="tool-state">
                    {[states[node.status], seconds(node)].filter((part) => part !== "").join(" · ")}
                  </span>
                </summary>
                {node.reason !== "" && <p className="error">{node.reason}</p>}
                <pre>{node.log === null ? "Nothing was noted." : JSON.stringify(node.log, null, 2)}</pre>
              </details>
            </li>
          ))}
        </ol>
      </Collapsible.Content>
    </Collapsible.Root>
  )
}
