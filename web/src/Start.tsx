/** The apps there are to talk to. */
import type { App } from "./api.ts"
import { ImportApps } from "./ImportApps.tsx"
import { Mark } from "./icons.tsx"
import { hrefOf, newChat } from "./route.ts"
import { Trouble } from "./Trouble.tsx"

const kinds: Readonly<Record<App["kind"], string>> = {
  skill: "Skill",
  assistant: "Assistant",
  workflow: "Workflow",
  group: "Group chat",
  batch: "Batch",
  report: "Report",
  remote: "Remote service"
}

export const Start = (props: {
  readonly apps: ReadonlyArray<App>
  readonly state: "loading" | "loaded" | "failed"
  readonly error: string
  readonly onRetry: () => void
}) => (
  <main className="start" id="main" tabIndex={-1}>
    <Mark />
    <h1>Who would you like to talk to?</h1>
    <p className="lead">Pick an app. Everything you say is kept in your own list of chats.</p>
    {props.state === "loading" && (
      <p className="note" role="status">
        Looking for apps…
      </p>
    )}
    {props.state === "failed" && (
      <Trouble
        title="The apps could not be loaded"
        detail={props.error}
        action="Try again"
        onAction={props.onRetry}
      />
    )}
    {props.state === "loaded" && props.apps.length === 0 && (
      <p className="note">
        No app is online yet. Import one below, or create one with the server's API (see{" "}
        <a href="/docs">its documentation</a>).
      </p>
    )}
    <ul className="apps">
      {props.apps.map((app) => (
        <li key={app.id}>
          <AppLink app={app} />
        </li>
      ))}
    </ul>
    <p className="import">
      <ImportApps onImported={props.onRetry} />
    </p>
  </main>
)

const AppLink = ({ app }: { readonly app: App }) => (
  // A fresh chat at each click, and still a link: it can be opened in another tab.
  <a
    className="app"
    href={hrefOf(newChat(app.id))}
    onClick={(event) => {
      event.currentTarget.href = hrefOf(newChat(app.id))
    }}
  >
    <span className="monogram" aria-hidden="true">
      {Array.from(app.name)[0]?.toUpperCase() ?? "?"}
    </span>
    <span className="app-words">
      <strong>{app.name}</strong>
      <span className="app-description">{app.description}</span>
      <span className="tag">{kinds[app.kind]}</span>
    </span>
  </a>
)
