/** Lengths of time as people say them. */
const MINUTE_MS = 60_000
const UNITS = [
  ['day', 24 * 60 * MINUTE_MS],
  ['hour', 60 * MINUTE_MS],
  ['minute', MINUTE_MS],
] as const

/** In the largest unit of which it is two at least: nobody reads 420,000 seconds. */
export function lengthOf(ms: number, language: string): string {
  const [unit, unitMs] = UNITS.find(([, each]) => ms >= 2 * each) ?? (['second', 1_000] as const)
  const places = { maximumSignificantDigits: unit === 'second' ? 3 : 2 }
  return new Intl.NumberFormat(language, { ...places, style: 'unit', unit, unitDisplay: 'short' }).format(
    ms / unitMs,
  )
}
