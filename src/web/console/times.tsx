/** Times with the name of their zone: the reader's own, or that of the location whose view he is in. */
import { useContext } from 'preact/hooks'
import { clockOf, ZoneContext } from '../parts/times.ts'
import { useWords } from '../words/spoken.tsx'

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

/** Whose clock the times below follow. */
export function ZoneNote() {
  const { say, language } = useWords()
  const zone = useContext(ZoneContext)
  const { timeZone } = new Intl.DateTimeFormat(language, { timeZone: zone }).resolvedOptions()
  const offset = new Intl.DateTimeFormat(language, { timeZone, timeZoneName: 'shortOffset' })
    .formatToParts()
    .find(({ type }) => type === 'timeZoneName')?.value
  const name = `${timeZone.replaceAll('_', ' ')}${offset === undefined || timeZone === 'UTC' ? '' : ` (${offset})`}`
  return (
    <p class="muted small zone">
      {say(zone === undefined ? 'zone.reader' : 'zone.location', { zone: name })}
    </p>
  )
}
