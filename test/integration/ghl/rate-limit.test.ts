import { afterEach, describe, expect, it } from 'vitest'
import type { LocationId } from '../../../src/core/ids.ts'
import { type Bench, startBench } from './bench.ts'

let bench: Bench
afterEach(async () => {
  expect(bench.sandbox.stats().oddities).toEqual([])
  await bench.stop()
})

const MAX = 50
const INTERVAL_MS = 700

async function limited(window: 'fixed' | 'sliding', perDay = 200_000): Promise<LocationId> {
  bench = await startBench({ rateLimit: { max: MAX, intervalMs: INTERVAL_MS, perDay, window } })
  const locationId = await bench.install()
  bench.sandbox.forget()
  return locationId
}

const ask = (node: Bench['ghl'], locationId: LocationId) =>
  node.contacts.findOrCreate(locationId, '+15551230001', undefined)

describe('a backlog against GHL’s limit', () => {
  it.each(['fixed', 'sliding'] as const)(
    'uses a %s window fully and is never answered 429',
    async (window) => {
      const locationId = await limited(window)
      const startMs = performance.now()
      await Promise.all(Array.from({ length: 6 * MAX }, () => ask(bench.ghl, locationId)))
      const tookMs = performance.now() - startMs
      expect(bench.sandbox.stats().rateLimited).toBe(0)
      // Six windows of 50 need at least five whole intervals; the tests' own machine may add some to each.
      expect(tookMs).toBeGreaterThan(5 * INTERVAL_MS - 50)
      expect(tookMs).toBeLessThan(5 * INTERVAL_MS * 1.25)
    },
  )

  it('is shared with another node by what GHL says is left', async () => {
    const locationId = await limited('sliding')
    const other = bench.anotherNode()
    for (let n = 0; n < 30; n++) await ask(other, locationId)
    await Promise.all(Array.from({ length: 2 * MAX }, () => ask(bench.ghl, locationId)))
    expect(bench.sandbox.stats().rateLimited).toBe(0)
  })

  it('that has used up the day waits for the next instead of asking in vain', async () => {
    const locationId = await limited('fixed', 5)
    for (let n = 0; n < 5; n++) await ask(bench.ghl, locationId)
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({
      code: 'GHL_RATE_LIMITED',
      disposition: 'park',
    })
    expect(bench.sandbox.calls({ route: 'POST /contacts/upsert' }).length).toBe(5)
  })
})
