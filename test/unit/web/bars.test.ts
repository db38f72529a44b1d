import { describe, expect, it } from 'vitest'
import { barsOf, drawnRange } from '../../../src/web/charts/bars.ts'
import { lengthOf } from '../../../src/web/charts/lengths.ts'

const hour = (at: string, inbound: number, outbound: number) => ({ at, inbound, outbound })
const DAY = { from: '2026-11-27T09:00:00.000Z', to: '2026-11-28T09:00:00.000Z' }

describe('the bars of a chart', () => {
  it('are drawn whole: the first hour’s of what came, the current hour’s of what went', () => {
    const bars = barsOf(
      { ...DAY, hours: [hour(DAY.from, 3, 0), hour('2026-11-28T08:00:00.000Z', 0, 5)] },
      1,
      'UTC',
    )
    const [begin, end] = drawnRange(bars)
    const width = 0.4 * bars.stepSec // as hours-chart.ts draws them
    expect([bars.inbound[0], bars.outbound.at(-1)]).toEqual([3, 5])
    expect((bars.starts[0] ?? 0) - width).toBeGreaterThanOrEqual(begin)
    expect((bars.starts.at(-1) ?? 0) + width).toBeLessThanOrEqual(end)
  })

  it('stand for quiet hours, too', () => {
    const bars = barsOf({ ...DAY, hours: [] }, 1, 'UTC')
    expect([bars.starts.length, bars.inbound.every((each) => each === 0)]).toEqual([24, true])
  })

  it('of a week stand for six hours, counted from the midnight of the location', () => {
    const week = { from: '2026-11-21T09:00:00.000Z', to: DAY.to }
    const hours = [
      hour('2026-11-27T03:00:00.000Z', 1, 0), // midnight in São Paulo
      hour('2026-11-27T08:00:00.000Z', 2, 0),
      hour('2026-11-27T09:00:00.000Z', 4, 1),
    ]
    const bars = barsOf({ ...week, hours }, 6, 'America/Sao_Paulo')
    expect(bars.starts.length).toBeLessThanOrEqual(29)
    const at = bars.starts.indexOf(Date.parse('2026-11-27T03:00:00.000Z') / 1_000)
    expect([bars.inbound[at], bars.inbound[at + 1], bars.outbound[at + 1]]).toEqual([3, 4, 1])
    expect(bars.inbound.reduce((sum, each) => sum + each, 0)).toBe(7)
  })

  it('of nothing at all have a range, too', () => {
    const [begin, end] = drawnRange({ starts: [], stepSec: 3_600 })
    expect(end).toBeGreaterThan(begin)
  })
})

describe('how long a message took', () => {
  it.each([
    [120, '0.12 sec'],
    [900, '0.9 sec'],
    [90_000, '90 sec'],
    [150_000, '2.5 min'],
    [7_200_000, '2 hr'],
    [420_000_000, '4.9 days'],
  ])('%i ms is %s', (ms, words) => {
    expect(lengthOf(ms, 'en')).toBe(words)
  })
})
