/** Times with the name of their zone: the reader's own, or that of the location whose view he is in. */
import { useContext } from 'preact/hooks'
import { clockOf, ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'

export { ZoneNote } from '../parts/zone-note.tsx'

export function useNamedClock(): (iso: string) => string {
  const { language } = useWords()
  const zone = useContext(ZoneContext)
  return (iso) => clockOf(iso, language, zone, true)
}

export function Time({ at }: { at: string }) {
  const clock = useNamedClock()
  return (
    <time class="muted" dateTime={at}>
      {clock(at)}
    </time>
  )
}
