import { describe, expect, it } from 'vitest'
import { Patience } from '../../../src/bridge/patience.ts'
import { GhlError } from '../../../src/core/errors.ts'

/** Time that jumps to the end of every pause. */
function world() {
  const stop = new AbortController()
  const pauses: number[] = []
  let nowMs = 0
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      pauses.push(ms)
      nowMs += ms
    },
  }
  const patience = new Patience(clock, stop.signal, async () => undefined)
  const log: string[] = []
  const each = (items: readonly string[], act: (item: string) => void) =>
    patience.each(
      items,
      1,
      async (item) => {
        log.push(item)
        act(item)
      },
      async (item, error) => void log.push(`${item}: ${error?.code ?? 'well'}`),
    )
  return { stop, pauses, patience, log, each }
}

const unavailable = (retryAfterMs?: number) =>
  new GhlError('GHL_UNAVAILABLE', 'GHL is down', retryAfterMs === undefined ? {} : { retryAfterMs })
const paused = () => new GhlError('GHL_PAUSED', 'GHL is left alone', { retryAfterMs: 60_000 })

describe('work on many things', () => {
  it('lets what meets passing trouble go behind the others, and gives it up at last', async () => {
    const { log, each } = world()
    await each(['bad', 'a', 'b'], (item) => {
      if (item === 'bad') throw unavailable()
    })
    expect(log).toEqual([
      ...['bad', 'a', 'a: well', 'b', 'b: well'],
      ...['bad', 'bad', 'bad', 'bad', 'bad: GHL_UNAVAILABLE'],
    ])
  })

  it('gives up at once what time does not cure', async () => {
    const { log, each, pauses } = world()
    await each(['bad', 'a'], (item) => {
      if (item === 'bad') throw new GhlError('GHL_NEEDS_RECONNECT', 'another version')
    })
    expect(log).toEqual(['bad', 'bad: GHL_NEEDS_RECONNECT', 'a', 'a: well'])
    expect(pauses).toEqual([])
  })

  it('counts no attempt where no call was made, waits as long as it is told, within reason', async () => {
    const { log, each, pauses } = world()
    let left = 8
    await each(['a'], () => {
      if (left-- > 0) throw paused()
    })
    expect(log.at(-1)).toBe('a: well')
    expect(pauses).toEqual(Array.from({ length: 8 }, () => 15_000))
  })

  it('gives up all when nothing has gone well for minutes', async () => {
    const { log, each, pauses } = world()
    await each(['a', 'b'], () => {
      throw paused()
    })
    expect(log.filter((line) => line.includes(':'))).toEqual(['a: GHL_PAUSED', 'b: GHL_PAUSED'])
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(5 * 60_000)
  })

  it('ends with the signal, and settles nothing that it has not done', async () => {
    const { log, each, stop } = world()
    await each(['a', 'b', 'c'], (item) => {
      if (item === 'b') stop.abort(new Error('stopping'))
    })
    expect(log).toEqual(['a', 'a: well', 'b', 'b: well'])
  })
})

it('one thing is tried as patiently, and what it met in the end is said', async () => {
  const { patience, pauses } = world()
  let left = 2
  expect(
    await patience.through(async () => {
      if (left-- > 0) throw unavailable(3_000)
      return 'well'
    }),
  ).toBe('well')
  expect(pauses).toEqual([3_000, 3_000])
  const never = patience.through(() => Promise.reject(unavailable()))
  await expect(never).rejects.toHaveProperty('code', 'GHL_UNAVAILABLE')
})
