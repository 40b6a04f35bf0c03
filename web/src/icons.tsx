/** The page's few pictures. All are decoration: what they stand beside has words. */
import type { ReactNode } from "react"

const Icon = ({ children }: { readonly children: ReactNode }) => (
  <svg
    className="icon"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.75"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
  >
    {children}
  </svg>
)

export const Plus = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
)
export const Send = () => (
  <Icon>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
)
export const Stop = () => (
  <Icon>
    <rect x="7" y="7" width="10" height="10" rx="2" fill="currentColor" stroke="none" />
  </Icon>
)
export const Clip = () => (
  <Icon>
    <path d="M20 11.5 12 19.5a5 5 0 0 1-7-7L13.5 4a3.3 3.3 0 0 1 4.7 4.7L9.8 17a1.7 1.7 0 0 1-2.4-2.4L15 7" />
  </Icon>
)
export const Copy = () => (
  <Icon>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15V6a2 2 0 0 1 2-2h8" />
  </Icon>
)
export const Check = () => (
  <Icon>
    <path d="m5 13 4.5 4.5L19 7" />
  </Icon>
)
export const Trash = () => (
  <Icon>
    <path d="M4 7h16M10 11v6M14 11v6M6 7l1 12a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2l1-12M9 7V5a1.5 1.5 0 0 1 1.5-1.5h3A1.5 1.5 0 0 1 15 5v2" />
  </Icon>
)
export const Menu = () => (
  <Icon>
    <path d="M4 7h16M4 12h16M4 17h10" />
  </Icon>
)
export const Close = () => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
)
export const Chevron = () => (
  <Icon>
    <path d="m9 6 6 6-6 6" />
  </Icon>
)
export const Down = () => (
  <Icon>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
)
export const Sun = () => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1" />
  </Icon>
)
export const Moon = () => (
  <Icon>
    <path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z" />
  </Icon>
)
export const Auto = () => (
  <Icon>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 4v16a8 8 0 0 0 0-16Z" fill="currentColor" />
  </Icon>
)
export const Warning = () => (
  <Icon>
    <path d="M12 9v4M12 16.5v.1M10.3 4.5 3.3 17a2 2 0 0 0 1.7 3h14a2 2 0 0 0 1.7-3l-7-12.5a2 2 0 0 0-3.4 0Z" />
  </Icon>
)
export const Tool = () => (
  <Icon>
    <path d="M14.5 6.5a4 4 0 0 1 5-1.2l-2.7 2.7 1.2 1.2 2.7-2.7a4 4 0 0 1-5.4 5.2L8 19a2 2 0 0 1-2.9-2.9l7.3-7.3a4 4 0 0 1 2.1-2.3Z" />
  </Icon>
)

export const Play = () => (
  <Icon>
    <path d="M8 5.5v13l10.5-6.5Z" />
  </Icon>
)
export const Document = () => (
  <Icon>
    <path d="M7 3.5h7l4 4V20a.5.5 0 0 1-.5.5h-11A.5.5 0 0 1 6 20V4a.5.5 0 0 1 .5-.5ZM14 3.5v4h4M9 12h6M9 15.5h6" />
  </Icon>
)
export const Download = () => (
  <Icon>
    <path d="M12 4v11M7 10.5l5 5 5-5M5 19.5h14" />
  </Icon>
)
export const Upload = () => (
  <Icon>
    <path d="M12 16V5M7 9.5l5-5 5 5M5 19.5h14" />
  </Icon>
)
export const Quote = () => (
  <Icon>
    <path d="M5 5.5h14M5 10h14M5 14.5h9M5 19h6" />
  </Icon>
)

export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="9" fill="var(--accent)" />
    <path
      d="M8.5 8h9a3 3 0 0 1 3 3v2.5a3 3 0 0 1-3 3h-4.7l-3.8 3v-3h-.5a3 3 0 0 1-3-3V11a3 3 0 0 1 3-3Z"
      fill="var(--on-accent)"
      opacity=".5"
    />
    <path
      d="M14.5 13h9a3 3 0 0 1 3 3v2.5a3 3 0 0 1-3 3H23v3l-3.8-3h-4.7a3 3 0 0 1-3-3V16a3 3 0 0 1 3-3Z"
      fill="var(--on-accent)"
    />
  </svg>
)
