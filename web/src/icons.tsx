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
    <path d="M20 11.5 12 19.500a5 5 0 0 1-7-7L13.500 4a3.300 3.300 0 0 1 4.700 4.700L9.800 17a1.700 1.700 0 0 1-2.400-2.400L15 7" />
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
    <path d="m5 13 4.500 4.500L19 7" />
  </Icon>
)
export const Trash = () => (
  <Icon>
    <path d="M4 7h16M10 11v6M14 11v6M6 7l1 12a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2l1-12M9 7V5a1.500 1.500 0 0 1 1.500-1.500h3A1.500 1.500 0 0 1 15 5v2" />
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
    <path d="M12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1.100 1.100M17.300 17.300l1.100 1.100M5.600 18.400l1.100-1.100M17.300 6.700l1.100-1.100" />
  </Icon>
)
export const Moon = () => (
  <Icon>
    <path d="M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500Z" />
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
    <path d="M12 9v4M12 16.500v.1M10.300 4.500 3.300 17a2 2 0 0 0 1.700 3h14a2 2 0 0 0 1.700-3l-7-12.500a2 2 0 0 0-3.400 0Z" />
  </Icon>
)
export const Tool = () => (
  <Icon>
    <path d="M14.500 6.500a4 4 0 0 1 5-1.200l-2.700 2.700 1.200 1.200 2.700-2.700a4 4 0 0 1-5.400 5.200L8 19a2 2 0 0 1-2.900-2.900l7.300-7.300a4 4 0 0 1 2.100-2.300Z" />
  </Icon>
)

export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="9" fill="var(--accent)" />
    <path
      d="M8.500 8h9a3 3 0 0 1 3 3v2.500a3 3 0 0 1-3 3h-4.700l-3.800 3v-3h-.5a3 3 0 0 1-3-3V11a3 3 0 0 1 3-3Z"
      fill="var(--on-accent)"
      opacity=".5"
    />
    <path
      d="M14.500 13h9a3 3 0 0 1 3 3v2.500a3 3 0 0 1-3 3H23v3l-3.800-3h-4.700a3 3 0 0 1-3-3V16a3 3 0 0 1 3-3Z"
      fill="var(--on-accent)"
    />
  </svg>
)
