/** How an answer came about: reasoning, tool calls, steps. Open while it is all there is, folded after. */
import { Collapsible } from "radix-ui"
import { useState } from "react"
import type { ToolUse, Work as WorkOf } from "../../src/client/client.ts"
import { Chevron, Tool } from "./icons.tsx"

export const hasWork = ({ reasoning, tools, steps }: WorkOf): boolean =>
  reasoning !== "" || tools.length > 0 || steps.length > 0

/** `working`: it is all there is yet. */
export const Work = ({ work, working }: { readonly work: WorkOf; readonly working: boolean }) => {
  const [chosen, setChosen] = useState<boolean | null>(null)
  const { reasoning, tools, steps } = work
  if (!hasWork(work)) return null
  const open = chosen ?? working
  return (
    <Collapsible.Root className="work" open={open} onOpenChange={setChosen}>
      <Collapsible.Trigger className="work-summary">
        <Chevron />
        {summary(work, working)}
      </Collapsible.Trigger>
      <Collapsible.Content className="work-body">
        {reasoning !== "" && <p className="reasoning">{reasoning}</p>}
        {tools.map((tool) => (
          <ToolCall key={tool.id} tool={tool} />
        ))}
        {steps.length > 0 && <p className="steps">{steps.join("\n")}</p>}
      </Collapsible.Content>
    </Collapsible.Root>
  )
}

const summary = ({ reasoning, tools, steps }: WorkOf, working: boolean): string => {
  const running = tools.find(({ output }) => output === null)
  if (running !== undefined) return `Using ${title(running.name)}…`
  if (working) return steps.at(-1) ?? "Thinking…"
  const names = [...new Set(tools.map(({ name }) => title(name)))]
  const used = names.length === 0 ? "" : `Used ${names.join(", ")}`
  const thought = reasoning === "" ? "" : "Thought it through"
  return (
    [thought, used].filter((part) => part !== "").join(" · ") ||
    `${steps.length} ${steps.length === 1 ? "step" : "steps"}`
  )
}

const title = (name: string): string => name.replaceAll("_", " ")

const ToolCall = ({ tool }: { readonly tool: ToolUse }) => (
  <details className={tool.failed ? "tool failed" : "tool"}>
    <summary>
      <Tool />
      <span>{title(tool.name)}</span>
      <span className="tool-state">
        {tool.output === null ? "running…" : tool.failed ? "failed" : "done"}
      </span>
    </summary>
    <dl>
      <dt>Asked</dt>
      <dd>
        <pre>{pretty(tool.input)}</pre>
      </dd>
      <dt>Answered</dt>
      <dd>
        <pre>{tool.output ?? "…"}</pre>
      </dd>
    </dl>
  </details>
)

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
