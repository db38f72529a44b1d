import { useEffect, useRef } from 'preact/hooks'

/** False once whatever asked is gone from the page, so that what it began can end early. */
export function useIsHere(): { readonly current: boolean } {
  const isHere = useRef(true)
  useEffect(
    () => () => {
      isHere.current = false
    },
    [],
  )
  return isHere
}
