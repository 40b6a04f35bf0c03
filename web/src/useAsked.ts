/** What the server is asked for once, and again when that failed. */
import { useCallback, useEffect, useRef, useState } from "react"

export type Asked<A> =
  | { readonly is: "loading" }
  | { readonly is: "failed"; readonly why: string }
  | { readonly is: "loaded"; readonly found: A }

/** `ask` must stay the same while the same is asked. */
export const useAsked = <A>(ask: () => Promise<A>): readonly [Asked<A>, () => void] => {
  const [state, setState] = useState<Asked<A>>({ is: "loading" })
  const latest = useRef(0)
  const load = useCallback(() => {
    latest.current += 1
    const mine = latest.current
    setState({ is: "loading" })
    ask().then(
      (found) => mine === latest.current && setState({ is: "loaded", found }),
      (error: unknown) =>
        mine === latest.current &&
        setState({ is: "failed", why: error instanceof Error ? error.message : String(error) })
    )
  }, [ask])
  useEffect(load, [load])
  return [state, load]
}
