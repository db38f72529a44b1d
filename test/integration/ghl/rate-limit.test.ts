import { describe, it, type TestContext } from 'vitest'
import type { LocationId } from '../../../src/core/ids.ts'
import { type Bench, startBench } from './bench.ts'

const MAX = 50
/** A tenth of it may pass between a call's departure and GHL's count: more than a machine stands still for. */
const INTERVAL_MS = 12_000
const UPSERT = 'POST /contacts/upsert'

async function limited(
  { expect, onTestFinished }: TestContext,
  window: 'fixed' | 'sliding',
  perDay = 200_000,
): Promise<{ bench: Bench; locationId: LocationId }> {
  const bench = await startBench({ rateLimit: { max: MAX, intervalMs: INTERVAL_MS, perDay, window } })
  onTestFinished(async () => {
    expect(bench.sandbox.stats().oddities).toEqual([])
    await bench.stop()
  })
  const locationId = await bench.install()
  bench.sandbox.forget()
  return { bench, locationId }
}

const ask = (node: Bench['ghl'], locationId: LocationId) =>
  node.contacts.findOrCreate(locationId, '+15551230001', undefined)

// Beside each other, because they mostly wait.
describe.concurrent('a backlog against GHL’s limit', () => {
  it.for(['fixed', 'sliding'] as const)(
    'uses a %s window fully and is never answered 429',
    { timeout: 120_000 },
    async (window, context) => {
      const { bench, locationId } = await limited(context, window)
      const startMs = performance.now()
      await Promise.all(Array.from({ length: 3 * MAX }, () => ask(bench.ghl, locationId)))
      const tookMs = performance.now() - startMs
      const { expect } = context
      expect(bench.sandbox.stats().rateLimited).toBe(0)
      // Three windows of 50 need at least two whole intervals.
      expect(tookMs).toBeGreaterThan(2 * INTERVAL_MS - 50)
      const calls = bench.sandbox.calls({ route: UPSERT })
      const firstMs = Math.min(...calls.map(({ at }) => at.getTime()))
      const inFirst = calls.filter(({ at }) => at.getTime() < firstMs + INTERVAL_MS)
      expect([calls.length, inFirst.length]).toEqual([3 * MAX, MAX])
    },
  )

  it('is shared with another node by what GHL says is left', { timeout: 120_000 }, async (context) => {
    const { bench, locationId } = await limited(context, 'sliding')
    const other = bench.anotherNode()
    for (let n = 0; n < 30; n++) await ask(other, locationId)
    await Promise.all(Array.from({ length: 2 * MAX }, () => ask(bench.ghl, locationId)))
    context.expect(bench.sandbox.stats().rateLimited).toBe(0)
  })

  it('that has used up the day waits for the next instead of asking in vain', async (context) => {
    const { bench, locationId } = await limited(context, 'fixed', 5)
    for (let n = 0; n < 5; n++) await ask(bench.ghl, locationId)
    await context.expect(ask(bench.ghl, locationId)).rejects.toMatchObject({
      code: 'GHL_RATE_LIMITED',
      disposition: 'park',
    })
    context.expect(bench.sandbox.calls({ route: UPSERT }).length).toBe(5)
  })
})
