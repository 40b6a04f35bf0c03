/** What an answer rests on: the passages of documents behind a button, links, or a stored question. */
import { Dialog } from "radix-ui"
import { useCallback, useState } from "react"
import type { SourceLink } from "../../src/client/client.ts"
import { type Passage, sources } from "./api.ts"
import { Close, Quote } from "./icons.tsx"
import { useAsked } from "./useAsked.ts"

interface Grounded {
  readonly source: number
  readonly links: ReadonlyArray<SourceLink>
  readonly pair: string
  readonly messageId: number | null
}

export const Sources = ({ of }: { readonly of: Grounded }) => {
  if (of.source === 1 && of.messageId !== null) return <Passages messageId={of.messageId} />
  if (of.source === 2) {
    return <p className="grounds">This rests on documents that you may not read.</p>
  }
  if (of.source === 3 && of.links.length > 0) {
    return (
      <ul className="grounds links" aria-label="Sources">
        {of.links.map(({ title, url }) => (
          <li key={`${title} ${url}`}>
            <a href={url} target="_blank" rel="noopener noreferrer nofollow">
              {title}
            </a>
          </li>
        ))}
      </ul>
    )
  }
  if (of.source === 4) return <p className="grounds">{of.pair || "Answered from stored questions."}</p>
  return null
}

const Passages = ({ messageId }: { readonly messageId: number }) => {
  const [open, setOpen] = useState(false)
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="copy">
        <Quote />
        Sources
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="sheet" aria-describedby={undefined}>
          <header>
            <Dialog.Title>Sources of this answer</Dialog.Title>
            <Dialog.Close className="icon-button" aria-label="Close">
              <Close />
            </Dialog.Close>
          </header>
          <PassageList messageId={messageId} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const PassageList = ({ messageId }: { readonly messageId: number }) => {
  const [state, again] = useAsked(useCallback(() => sources(messageId), [messageId]))
  if (state.is === "loading") {
    return (
      <p className="note" role="status">
        Looking up the passages…
      </p>
    )
  }
  if (state.is === "failed") {
    return (
      <p className="note" role="alert">
        The passages could not be loaded: {state.why}{" "}
        <button type="button" className="link" onClick={again}>
          Try again
        </button>
      </p>
    )
  }
  const { keywords, passages } = state.found
  if (passages.length === 0) return <p className="note">No passage was kept for this answer.</p>
  return (
    <>
      {keywords.length > 0 && (
        <ul className="keywords" aria-label="What the answer is about">
          {keywords.slice(0, 12).map((word) => (
            <li key={word} className="tag">
              {word}
            </li>
          ))}
        </ul>
      )}
      <ol className="passages">
        {passages.map((passage) => (
          <li key={passage.key}>
            <OnePassage passage={passage} />
          </li>
        ))}
      </ol>
    </>
  )
}

const OnePassage = ({ passage }: { readonly passage: Passage }) => {
  const { file, page, text, allowed, url } = passage
  if (!allowed) return <p className="note">A passage of a document that you may not read, or that is gone.</p>
  return (
    <figure className="passage">
      <figcaption>
        {url === "" ? (
          <strong>{file || "A document"}</strong>
        ) : (
          <a href={url} target="_blank" rel="noopener noreferrer nofollow">
            {file || "A document"}
          </a>
        )}
        {page !== null && <span>page {page}</span>}
      </figcaption>
      <blockquote>{text}</blockquote>
    </figure>
  )
}
