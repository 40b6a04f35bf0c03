/**
 * An answer's Markdown. HTML in it stays text, links open beside the page and tell nobody where they were
 * clicked, and pictures become links: a picture from elsewhere would tell its server that it was read.
 */
import { type ComponentProps, memo, useDeferredValue, useRef } from "react"
import ReactMarkdown from "react-markdown"
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

const CodeBlock = ({ children }: ComponentProps<"pre">) => {
  const block = useRef<HTMLPreElement>(null)
  return (
    <div className="code">
      <CopyButton text={() => block.current?.textContent ?? ""} what="code" />
      <pre ref={block}>{children}</pre>
    </div>
  )
}

const components = { a: Link, img: Picture, table: Table, pre: CodeBlock }

const Parsed = memo(({ text }: { readonly text: string }) => (
  <ReactMarkdown remarkPlugins={plugins} components={components}>
    {text}
  </ReactMarkdown>
))

export const Markdown = ({ text }: { readonly text: string }) => (
  // A long answer is parsed again as it grows: never before what the reader does.
  <div className="markdown">
    <Parsed text={useDeferredValue(text)} />
  </div>
)
