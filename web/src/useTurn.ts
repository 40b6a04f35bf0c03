import { type RefObject, useEffect, useRef } from "react"

/** The field that was typed in is gone when this is asked: the keyboard goes on from here, with no answer chosen yet. */
export const useTurn = <E extends HTMLElement>(open: boolean): RefObject<E | null> => {
  const place = useRef<E>(null)
  useEffect(() => {
    if (open && document.activeElement === document.body) place.current?.focus({ preventScroll: true })
  }, [open])
  return place
}
