import { useContext } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'
import { ZoneContext } from './times.ts'

/** Such as “GMT-3”, at this moment. */
const offsetOf = (language: string, timeZone: string | undefined): string | undefined =>
  new Intl.DateTimeFormat(language, { timeZone, timeZoneName: 'shortOffset' })
    .formatToParts()
    .find(({ type }) => type === 'timeZoneName')?.value

/**
 * Whose clock the times below follow.
 *
 * @param isForeignOnly says it only where the reader's own clock shows another time.
 */
export function ZoneNote({ isForeignOnly = false }: { isForeignOnly?: boolean }) {
  const { say, language } = useWords()
  const zone = useContext(ZoneContext)
  const offset = offsetOf(language, zone)
  if (isForeignOnly && offset === offsetOf(language, undefined)) return null
  const { timeZone } = new Intl.DateTimeFormat(language, { timeZone: zone }).resolvedOptions()
  const name = `${timeZone.replaceAll('_', ' ')}${offset === undefined || timeZone === 'UTC' ? '' : ` (${offset})`}`
  return (
    <p class="muted small zone">
      {say(zone === undefined ? 'zone.reader' : 'zone.location', { zone: name })}
    </p>
  )
}
