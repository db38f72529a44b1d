import { describe, expect, it } from 'vitest'
import { IgnoredCount } from '../../src/bridge/ignored.ts'
import type { Census } from '../../src/bridge/stats.ts'
import { StoreError } from '../../src/core/errors.ts'
import type { GhlCondition } from '../../src/ghl/ghl.ts'
import { createMetrics } from '../../src/metrics.ts'

const condition = (used: number, state: 'closed' | 'open', live = 0): GhlCondition => ({
  resourceId: `location-${used}`,
  limit: {
    max: 100,
    intervalMs: 10_000,
    used,
    waiting: { live, gateway: 1, history: 0 },
    blockedUntilMs: state === 'open' ? 1 : undefined,
    day: undefined,
  },
  breaker: { state, failures: 0, retryAtMs: undefined },
})

const census: Census = {
  messages: [{ direction: 'inbound', state: 'delivered', count: 7 }],
  queue: { waiting: 3, parked: 2, dead: 1, oldestWaitingMs: 90_500 },
  sessions: [{ status: 'ready', count: 4 }],
  installations: [{ status: 'active', count: 5 }],
}

function scraped(conditions: readonly GhlCondition[] = []) {
  const ignored = new IgnoredCount()
  let isDown = false
  const metrics = createMetrics(() => ({
    stats: {
      census: () =>
        isDown ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'down')) : Promise.resolve(census),
    },
    ignored,
    conditions: () => conditions,
    heldLocations: () => 2,
  }))
  return {
    metrics,
    ignored,
    goDown: () => {
      isDown = true
    },
    lines: async () => (await metrics.expose()).text.split('\n'),
  }
}

describe('metrics', () => {
  it('show what the store counts, and zero for what did not happen', async () => {
    const lines = await scraped().lines()
    expect(lines).toEqual(
      expect.arrayContaining([
        'bridge_store_up 1',
        'bridge_messages_last_day{direction="inbound",state="delivered"} 7',
        'bridge_messages_last_day{direction="outbound",state="failed"} 0',
        'bridge_queue_jobs{state="waiting"} 3',
        'bridge_queue_jobs{state="parked"} 2',
        'bridge_queue_jobs{state="dead"} 1',
        'bridge_queue_oldest_waiting_seconds 90.5',
        'bridge_sessions{status="ready"} 4',
        'bridge_sessions{status="banned"} 0',
        'bridge_installations{status="active"} 5',
        'bridge_locations_held 2',
      ]),
    )
  })

  it('join the limits and breakers of all locations without naming one', async () => {
    const lines = await scraped([condition(50, 'closed', 3), condition(95, 'open', 4)]).lines()
    expect(lines).toEqual(
      expect.arrayContaining([
        'bridge_ghl_limit_use_ratio 0.95',
        'bridge_ghl_limit_waiting{priority="live"} 7',
        'bridge_ghl_limit_waiting{priority="gateway"} 2',
        'bridge_ghl_limit_blocked_locations 1',
        'bridge_ghl_breakers{state="open"} 1',
        'bridge_ghl_breakers{state="closed"} 1',
      ]),
    )
    expect(lines.join('\n')).not.toContain('location-')
  })

  it('count calls and ignored messages up, however often they are read', async () => {
    const { metrics, ignored, lines } = scraped()
    metrics.countCall('ok')
    metrics.countCall('paused')
    ignored.add('group')
    await lines()
    ignored.add('group')
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'bridge_ghl_calls_total{outcome="ok"} 1',
        'bridge_ghl_calls_total{outcome="paused"} 1',
        'bridge_ghl_calls_total{outcome="timeout"} 0',
        'bridge_ignored_total{reason="group"} 2',
      ]),
    )
  })

  it('say that the store is down, and leave out what it alone knows', async () => {
    const { goDown, lines } = scraped()
    await lines()
    goDown()
    const left = await lines()
    expect(left).toContain('bridge_store_up 0')
    expect(left.filter((line) => /^bridge_(messages|queue|sessions|installations)/.test(line))).toEqual([])
    expect(left.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true)
  })
})
