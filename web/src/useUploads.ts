/** Files on their way to the server, and those that arrived. */
import { useCallback, useEffect, useRef, useState } from "react"
import { upload } from "./api.ts"

export interface Attaching {
  readonly key: string
  readonly name: string
  /** How later requests name it, once it is there. */
  readonly path: string
  /** 0 to 1. */
  readonly share: number
  readonly state: "going" | "done" | "failed"
  readonly error: string
  readonly stop: AbortController
}

export interface Uploads {
  readonly files: ReadonlyArray<Attaching>
  readonly add: (files: Iterable<File>) => void
  /** Calls it off if it is still going. */
  readonly remove: (key: string) => void
  readonly clear: () => void
}

export const useUploads = (
  flowId: string,
  chatId: string,
  onChange?: (files: ReadonlyArray<Attaching>) => void
): Uploads => {
  const [files, setFiles] = useState<ReadonlyArray<Attaching>>([])
  const told = useRef(onChange)
  told.current = onChange
  useEffect(() => told.current?.(files), [files])
  const count = useRef(0)

  const give = useCallback(
    async (file: File) => {
      count.current += 1
      const key = `${count.current}`
      const stop = new AbortController()
      const change = (fields: Partial<Attaching>) =>
        setFiles((all) => all.map((each) => (each.key === key ? { ...each, ...fields } : each)))
      setFiles((all) => [
        ...all,
        { key, name: file.name, path: "", share: 0, state: "going", error: "", stop }
      ])
      try {
        const { path } = await upload(flowId, chatId, file, (share) => change({ share }), stop.signal)
        change({ share: 1, state: "done", path })
      } catch (error) {
        change({ state: "failed", error: error instanceof Error ? error.message : String(error) })
      }
    },
    [flowId, chatId]
  )

  const add = useCallback(
    (added: Iterable<File>) => {
      for (const file of added) void give(file)
    },
    [give]
  )
  const remove = useCallback((key: string) => {
    setFiles((all) => {
      all.find((each) => each.key === key)?.stop.abort()
      return all.filter((each) => each.key !== key)
    })
  }, [])
  const clear = useCallback(() => setFiles([]), [])
  return { files, add, remove, clear }
}

/** Those that arrived, as the session's replies name them. */
export const arrived = (
  files: ReadonlyArray<Attaching>
): ReadonlyArray<{ readonly id: string; readonly name: string }> =>
  files.filter(({ state }) => state === "done").map(({ path, name }) => ({ id: path, name }))
