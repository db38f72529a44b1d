/** From hours to bars: how many hours stand in one, and where the drawing begins and ends. */

const HOUR_MS = 3_600_000

export interface Hour {
  readonly at: string
  readonly inbound: number
  readonly outbound: number
}

export interface Bars {
  /** Unix seconds at which each bar's time begins. */
  readonly starts: readonly number[]
  readonly inbound: readonly number[]
  readonly outbound: readonly number[]
  readonly stepSec: number
}

/**
 * Sums quiet hours, too, so that a gap is seen.
 *
 * @param hoursEach how many hours one bar stands for; they begin at midnight.
 * @param zone IANA name of the zone whose midnight it is; undefined: the reader's own.
 */
export function barsOf(
  { from, to, hours }: { from: string; to: string; hours: readonly Hour[] },
  hoursEach: number,
  zone: string | undefined,
): Bars {
  const clock = new Intl.DateTimeFormat('en-GB', { hour: 'numeric', hourCycle: 'h23', timeZone: zone })
  const beginOf = (atMs: number): number => {
    const hour = Math.floor(atMs / HOUR_MS) * HOUR_MS
    return hoursEach === 1 ? hour : hour - (Number(clock.format(hour)) % hoursEach) * HOUR_MS
  }
  const bars = new Map<number, { inbound: number; outbound: number }>()
  const barAt = (atMs: number) => {
    const begin = beginOf(atMs)
    const bar = bars.get(begin) ?? { inbound: 0, outbound: 0 }
    bars.set(begin, bar)
    return bar
  }
  for (let at = Date.parse(from); at < Date.parse(to); at += HOUR_MS) barAt(at)
  for (const { at, inbound, outbound } of hours) {
    const bar = barAt(Date.parse(at))
    bar.inbound += inbound
    bar.outbound += outbound
  }
  const sorted = [...bars].sort(([one], [other]) => one - other)
  return {
    starts: sorted.map(([begin]) => begin / 1_000),
    inbound: sorted.map(([, bar]) => bar.inbound),
    outbound: sorted.map(([, bar]) => bar.outbound),
    stepSec: (hoursEach * HOUR_MS) / 1_000,
  }
}

/** What of the time line is drawn: in's bar stands left of a start and out's right of it, so half a step more at both ends. */
export function drawnRange({ starts, stepSec }: Pick<Bars, 'starts' | 'stepSec'>): [number, number] {
  const [first = 0] = starts
  return [first - stepSec / 2, (starts.at(-1) ?? first) + stepSec / 2]
}
