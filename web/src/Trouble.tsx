/** Something went wrong: what, and what to do about it. */
import { Warning } from "./icons.tsx"

export const Trouble = (props: {
  readonly title: string
  readonly detail?: string
  readonly action?: string
  readonly onAction?: () => void
}) => (
  <div className="trouble" role="alert">
    <span className="trouble-icon">
      <Warning />
    </span>
    <div className="trouble-words">
      <strong>{props.title}</strong>
      {props.detail ? <p>{props.detail}</p> : null}
    </div>
    {props.action !== undefined && (
      <button type="button" className="button" onClick={props.onAction}>
        {props.action}
      </button>
    )}
  </div>
)
