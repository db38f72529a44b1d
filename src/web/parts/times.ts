/** Times as people read them: of today the hour, of another day the day as well. */
export function clockOf(iso: string, language: string, timeZone?: string): string {
  const at = new Date(iso)
  const zone = timeZone === undefined ? {} : { timeZone }
  const dayOf = (date: Date) => date.toLocaleDateString(language, zone)
  const isToday = dayOf(at) === dayOf(new Date())
  return at.toLocaleString(language, {
    ...zone,
    ...(!isToday && { day: 'numeric', month: 'short' }),
    hour: 'numeric',
    minute: '2-digit',
  })
}
