/** Days as people live them: from midnight to midnight where they are. */

/** Where a location's place is not known. */
export const UTC = 'UTC'

/** True for a name of the IANA time zone database that this Node knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The day `YYYY-MM-DD` that it is in the zone at that moment. */
export function dayOf(at: Date, timeZone: string): string {
  return wallClock(at, timeZone).toISOString().slice(0, 10)
}

/**
 * A day's first moment, and the next day's.
 *
 * @param day `YYYY-MM-DD`. A day on which the clocks change is shorter or longer than 24 hours.
 */
export function spanOf(day: string, timeZone: string): { readonly from: Date; readonly to: Date } {
  const next = new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10)
  return { from: beginOf(day, timeZone), to: beginOf(next, timeZone) }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

function beginOf(day: string, timeZone: string): Date {
  const midnightUtc = Date.parse(day)
  const offsetAt = (ms: number) => wallClock(new Date(ms), timeZone).getTime() - ms
  const nearMs = midnightUtc - offsetAt(midnightUtc)
  // The zone's distance from UTC some hours before and after its midnight: they differ when the clocks change in between.
  const before = midnightUtc - offsetAt(nearMs - 6 * HOUR_MS)
  const after = midnightUtc - offsetAt(nearMs + 6 * HOUR_MS)
  const exact = [before, after].find((ms) => offsetAt(ms) === midnightUtc - ms)
  // Where midnight is left out (clocks go forward there), the day begins with the hour after it.
  return new Date(exact ?? before)
}

/** The zone's clock and calendar at that moment, read as if they were UTC. */
function wallClock(at: Date, timeZone: string): Date {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((each) => each.type === type)?.value ?? 0)
  return new Date(
    Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
      at.getUTCMilliseconds(),
    ),
  )
}
