import { describe, expect, it } from 'vitest'
import { type HangUp, Lines } from '../../../src/ghl/lines.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function world() {
  const time = createFakeClock()
  const lines = new Lines(time.clock)
  const held: HangUp[] = []
  const refused: unknown[] = []
  const call = (times = 1, location = 'loc', signal?: AbortSignal) => {
    for (let n = 0; n < times; n++)
      lines.take(location, signal).then(
        (hangUp) => held.push(hangUp),
        (thrown: unknown) => refused.push(thrown),
      )
  }
  return { ...time, held, refused, call }
}

describe('the lines of a location’s backends', () => {
  it('are sixteen; who comes later gets the one that is given back', async () => {
    const { call, held, advance } = world()
    call(18)
    await advance(0)
    expect(held.length).toBe(16)
    held[0]?.()
    held[0]?.()
    await advance(0)
    expect(held.length).toBe(17)
    for (const hangUp of held.slice(1)) hangUp()
    await advance(0)
    expect(held.length).toBe(18)
    held[17]?.()
    call(17)
    await advance(0)
    expect(held.length).toBe(18 + 16)
  })

  it('are of one location alone', async () => {
    const { call, held, advance } = world()
    call(16)
    call(1, 'other')
    await advance(0)
    expect(held.length).toBe(17)
  })

  it('are waited for no longer than half a minute, and the caller learns when to come again', async () => {
    const { call, held, refused, advance } = world()
    call(17)
    await advance(29_999)
    expect(refused).toEqual([])
    await advance(1)
    expect(refused).toMatchObject([{ code: 'GHL_RATE_LIMITED', retryAfterMs: 10_000 }])
    for (const hangUp of held) hangUp()
    call(16)
    await advance(0)
    expect(held.length).toBe(32)
  })

  it('are not given to a caller who has gone', async () => {
    const { call, held, refused, advance } = world()
    call(16)
    const gone = new AbortController()
    call(1, 'loc', gone.signal)
    call()
    await advance(0)
    gone.abort(new Error('gone'))
    held[0]?.()
    await advance(0)
    expect([held.length, refused.length]).toEqual([17, 1])
  })
})
