/**
 * An answer's Markdown. HTML in it stays text, links open beside the page and tell nobody where they were
 * clicked, and pictures become links: a picture from elsewhere would tell its server that it was read.
 */
import { type CodeHeaderProps, MarkdownTextPrimitive } from "@assistant-ui/react-markdown"
import type { ComponentProps } from "react"
import remarkGfm from "remark-gfm"
import { CopyButton } from "./CopyButton.tsx"

const plugins = [remarkGfm]

const Link = ({ href, children }: ComponentProps<"a">) => (
  <a href={href} target="_blank" rel="noopener noreferrer nofollow">
    {children}
  </a>
)

const Picture = ({ src, alt }: ComponentProps<"img">) => {
  const href = typeof src === "string" ? src : ""
  return <Link href={href}>{alt || href}</Link>
}

/** Wide tables scroll by themselves. */
const Table = ({ children }: ComponentProps<"table">) => (
  <div className="table">
    <table>{children}</table>
  </div>
)

const CodeHeader = ({ language, code }: CodeHeaderProps) => (
  <div className="code-header">
    <span>{language === "unknown" ? "" : language}</span>
    <CopyButton text={code} what="code" />
  </div>
)

const components = { a: Link, img: Picture, table: Table, CodeHeader }

export const Markdown = () => (
  <MarkdownTextPrimitive
    className="markdown"
    remarkPlugins={plugins}
    components={components}
    smooth={false}
  />
)
