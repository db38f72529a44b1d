import { describe, expect, it } from 'vitest'
import { dayOf, isTimeZone, spanOf } from '../../src/core/days.ts'

const HOUR_MS = 3_600_000

describe('a day where people live', () => {
  it.each([
    ['UTC', '2026-03-01', '2026-03-01T00:00:00.000Z', 24],
    ['America/Sao_Paulo', '2026-03-01', '2026-03-01T03:00:00.000Z', 24],
    ['Pacific/Kiritimati', '2026-03-01', '2026-02-28T10:00:00.000Z', 24],
    ['Pacific/Pago_Pago', '2026-03-01', '2026-03-01T11:00:00.000Z', 24],
    ['Asia/Kolkata', '2026-03-01', '2026-02-28T18:30:00.000Z', 24],
    // The clocks go forward, and back, at two and three in the morning.
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z', 23],
    ['America/New_York', '2026-03-09', '2026-03-09T04:00:00.000Z', 24],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z', 25],
    ['Pacific/Auckland', '2026-04-05', '2026-04-04T11:00:00.000Z', 25],
    // They went forward at midnight itself: this day began at one o'clock.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z', 23],
    // They went back at midnight: the hour before it came twice, and the day began once.
    ['America/Sao_Paulo', '2018-02-18', '2018-02-18T03:00:00.000Z', 24],
    ['America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00:00.000Z', 25],
  ])('%s %s begins at %s and has %i hours', (zone, day, begin, hours) => {
    const { from, to } = spanOf(day, zone)
    expect([from.toISOString(), (to.getTime() - from.getTime()) / HOUR_MS]).toEqual([begin, hours])
    expect(dayOf(from, zone)).toBe(day)
    expect(dayOf(new Date(from.getTime() - 1), zone)).not.toBe(day)
    expect(dayOf(new Date(to.getTime() - 1), zone)).toBe(day)
    expect(dayOf(to, zone)).not.toBe(day)
  })

  it('needs a zone that there is', () => {
    expect(['Europe/Lisbon', 'US/Eastern', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})
