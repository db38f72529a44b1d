import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { WebhookEventState } from '../../../src/bridge/installations.ts'
import { type LocationId, parseLocationId } from '../../../src/core/ids.ts'
import type { Subject } from './subject.ts'

const DAY_MS = 24 * 60 * 60_000
const HOLD_MS = 60_000
const ALL = 1_000

export function describeAppEvents(subject: () => Subject): void {
  const store = () => subject().store.webhookEvents
  const freshLocation = () => parseLocationId(`loc-${randomUUID()}`)
  // A claim takes whatever waits, so each test starts with nothing.
  beforeEach(() => subject().run('delete from bridge.webhook_events'))

  const record = async (over: { locationId?: LocationId; type?: string; ignored?: string } = {}) => {
    const webhookId = randomUUID()
    await store().record({
      webhookId,
      type: 'INSTALL',
      locationId: undefined,
      payload: { of: webhookId },
      ...over,
    })
    return webhookId
  }
  const claimed = async (limit = ALL) =>
    (await store().claim(limit, HOLD_MS)).map(({ webhookId }) => webhookId)
  const states = async (): Promise<Record<string, WebhookEventState>> =>
    Object.fromEntries((await store().list({ limit: ALL })).map((row) => [row.webhookId, row.state]))
  const age = (webhookId: string, ms: number) =>
    subject().run(
      `update bridge.webhook_events set received_at = clock_timestamp() - interval '${ms} milliseconds'
       where webhook_id = '${webhookId}'`,
    )
  const isDueNow = (webhookId: string) =>
    subject().run(
      `update bridge.webhook_events set next_at = clock_timestamp() - interval '1 second'
       where webhook_id = '${webhookId}'`,
    )

  describe('app events', () => {
    it('are claimed with what they say, as it came, and with their attempts', async () => {
      const locationId = freshLocation()
      const payload = { text: 'ünïcödé \u0000 "', nested: [1, null, { deep: true }] }
      await store().record({ webhookId: 'w', type: 'INSTALL', locationId, companyId: 'c', payload })
      expect(await store().claim(5, HOLD_MS)).toEqual([{ webhookId: 'w', payload, attempts: 1 }])
      expect(await store().list({ limit: 5 })).toMatchObject([
        { webhookId: 'w', type: 'INSTALL', locationId, companyId: 'c', state: 'received', attempts: 1 },
      ])
    })

    it('keep what they say from whoever reads the table', async () => {
      await store().record({
        webhookId: 'w',
        type: 'X',
        locationId: undefined,
        payload: { secret: 'mallow' },
      })
      const [row] = await subject().rows<{ payload: string }>('select payload from bridge.webhook_events')
      expect(row?.payload).not.toContain('mallow')
    })

    it('are each claimed by one of several, once, up to the limit', async () => {
      const ids = await Promise.all(Array.from({ length: 12 }, () => record()))
      const parts = await Promise.all([claimed(5), claimed(5), claimed(5)])
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(5)
      const taken = [...parts.flat(), ...(await claimed())]
      expect(taken.toSorted()).toEqual(ids.toSorted())
      expect(await claimed()).toEqual([])
    })

    it('of one who died come again when his time is over, with the attempt counted', async () => {
      const webhookId = await record()
      await store().claim(1, HOLD_MS)
      expect(await claimed()).toEqual([])
      await isDueNow(webhookId)
      expect(await store().claim(1, HOLD_MS)).toMatchObject([{ webhookId, attempts: 2 }])
    })

    it('that are ignored wait for nobody', async () => {
      const webhookId = await record({ ignored: 'echo' })
      expect(await claimed()).toEqual([])
      expect(await store().list({ limit: 1 })).toMatchObject([
        { webhookId, state: 'ignored', reason: 'echo', settledAt: expect.any(Date) as Date },
      ])
    })

    it.each([
      [{ state: 'processed' }, undefined],
      [{ state: 'ignored', reason: 'removed_since' }, 'removed_since'],
      [{ state: 'failed', reason: 'GHL_REJECTED' }, 'GHL_REJECTED'],
    ] as const)('settled as %o are over, whatever is said of them afterwards', async (outcome, reason) => {
      const webhookId = await record()
      await store().claim(1, HOLD_MS)
      await store().settle(webhookId, outcome)
      const row = { webhookId, state: outcome.state, reason, settledAt: expect.any(Date) as Date }
      const [settled] = await store().list({ limit: 1 })
      expect(settled).toMatchObject(row)
      await store().settle(webhookId, { state: 'received', reason: 'late', retryInMs: 0 })
      await store().settle(webhookId, { state: 'failed', reason: 'later' })
      expect(await store().list({ limit: 1 })).toEqual([settled])
      await isDueNow(webhookId)
      expect(await claimed()).toEqual([])
    })

    it('put off come again when it is time, and not before', async () => {
      const webhookId = await record()
      await store().claim(1, HOLD_MS)
      await store().settle(webhookId, { state: 'received', reason: 'GHL_UNAVAILABLE', retryInMs: HOLD_MS })
      expect(await store().list({ limit: 1 })).toMatchObject([
        { state: 'received', reason: 'GHL_UNAVAILABLE', settledAt: undefined },
      ])
      expect(await claimed()).toEqual([])
      await isDueNow(webhookId)
      expect(await store().claim(1, HOLD_MS)).toMatchObject([{ webhookId, attempts: 2 }])
      await store().settle(webhookId, { state: 'received', reason: 'GHL_UNAVAILABLE', retryInMs: 0 })
      expect(await claimed()).toEqual([webhookId])
    })

    it('that nobody recorded cannot be settled, and nothing is made of them', async () => {
      await store().settle('unknown', { state: 'processed' })
      expect(await store().list({ limit: ALL })).toEqual([])
    })

    it('are listed latest first, in pages, each once', async () => {
      const ids: string[] = []
      for (let n = 0; n < 5; n++) {
        const webhookId = await record()
        // Two of the same moment are told apart by their ids.
        await subject().run(`
          update bridge.webhook_events set received_at = '2026-11-20T10:00:0${Math.floor(n / 2)}Z'
          where webhook_id = '${webhookId}'`)
        ids.push(webhookId)
      }
      const seen: string[] = []
      let before: string | undefined
      do {
        const page = await store().list({ limit: 2, ...(before !== undefined && { before }) })
        seen.push(...page.map(({ webhookId }) => webhookId))
        before = page.length === 2 ? page.at(-1)?.webhookId : undefined
      } while (before !== undefined)
      const pair = (from: number) =>
        ids
          .slice(from, from + 2)
          .toSorted()
          .toReversed()
      expect(seen).toEqual([ids[4], ...pair(2), ...pair(0)])
    })

    it('are found by state, by type and by location', async () => {
      const locationId = freshLocation()
      const wanted = await record({ locationId, type: 'UPDATE' })
      await record({ locationId })
      await record({ type: 'UPDATE', ignored: 'echo' })
      const find = async (query: Partial<Parameters<ReturnType<typeof store>['list']>[0]>) =>
        (await store().list({ limit: ALL, ...query })).length
      expect(await find({})).toBe(3)
      expect(await find({ locationId })).toBe(2)
      expect(await find({ type: 'UPDATE' })).toBe(2)
      expect(await find({ state: 'ignored' })).toBe(1)
      expect(await find({ state: 'failed' })).toBe(0)
      expect(await store().list({ limit: ALL, locationId, type: 'UPDATE', state: 'received' })).toMatchObject(
        [{ webhookId: wanted }],
      )
    })

    it('are forgotten when their repeats are over, those that wait never, and those in time are still known', async () => {
      const settled = async (ms: number, outcome: 'processed' | 'failed') => {
        const webhookId = await record()
        await store().settle(
          webhookId,
          outcome === 'processed' ? { state: outcome } : { state: outcome, reason: 'GHL_REJECTED' },
        )
        await age(webhookId, ms)
        return webhookId
      }
      const ignored = async (ms: number) => {
        const webhookId = await record({ ignored: 'echo' })
        await age(webhookId, ms)
        return webhookId
      }
      const waiting = await record()
      await age(waiting, 90 * DAY_MS)
      const kept = {
        [waiting]: 'received',
        [await ignored(4.5 * DAY_MS)]: 'ignored',
        [await settled(29 * DAY_MS, 'processed')]: 'processed',
        [await settled(29 * DAY_MS, 'failed')]: 'failed',
      }
      await ignored(6 * DAY_MS)
      await settled(31 * DAY_MS, 'processed')
      await settled(31 * DAY_MS, 'failed')
      expect(Object.keys(await states())).toHaveLength(7)
      for (let n = 0; n < 2; n++) {
        await store().prune()
        expect(await states()).toEqual(kept)
      }
      for (const webhookId of Object.keys(kept)) {
        const again = { webhookId, type: 'INSTALL', locationId: undefined, payload: {} }
        expect(await store().record(again)).toBe('duplicate')
      }
    })
  })
}
