/** Times as people read them, by the clock of the location that they are about. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'

/** IANA name; undefined: the reader's own. */
export const ZoneContext = createContext<string | undefined>(undefined)

/** UTC is the clock of a location until GHL has said its own: the server counts its days by it, too. */
export const zoneOf = ({ timeZone }: { timeZone: string | null }): string => timeZone ?? 'UTC'

/** Of today the hour, of another day the day as well; with the zone's short name when asked for. */
export function clockOf(iso: string, language: string, timeZone?: string, isZoneNamed = false): string {
  const at = new Date(iso)
  const zone = timeZone === undefined ? {} : { timeZone }
  const dayOf = (date: Date) => date.toLocaleDateString(language, zone)
  const yearOf = (date: Date) => date.toLocaleDateString(language, { ...zone, year: 'numeric' })
  const isToday = dayOf(at) === dayOf(new Date())
  return at.toLocaleString(language, {
    ...zone,
    ...(!isToday && { day: 'numeric', month: 'short' }),
    ...(yearOf(at) !== yearOf(new Date()) && { year: 'numeric' }),
    ...(isZoneNamed && { timeZoneName: 'short' }),
    hour: 'numeric',
    minute: '2-digit',
  })
}

/** {@link clockOf}, in the reader's language and the location's zone. */
export function useClock(): (iso: string) => string {
  const { language } = useWords()
  const zone = useContext(ZoneContext)
  return (iso) => clockOf(iso, language, zone)
}
