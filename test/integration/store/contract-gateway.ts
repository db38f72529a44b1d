import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CallLog } from '../../../src/bridge/call-logs.ts'
import { parseLocationId } from '../../../src/core/ids.ts'
import { createServiceKeys } from '../../../src/http/service-keys.ts'
import { freshPlace, nameLocation, type Subject } from './subject.ts'

const freshLocation = () => parseLocationId(`loc-${randomUUID()}`)

export function describeGateway(subject: () => Subject): void {
  describe('service keys', () => {
    const issue = async (locationId = freshLocation()) => {
      const keys = createServiceKeys(subject().store.serviceKeys)
      const wish = { name: 'Shop', locationId, scopes: ['proxy:read', 'products'] as const }
      return { keys, locationId, ...(await keys.issue(wish)) }
    }

    it('are found by the key alone, with what they may do', async () => {
      const { keys, id, key, locationId } = await issue()
      expect(await keys.find(key)).toMatchObject({ id, locationId, scopes: ['proxy:read', 'products'] })
      expect(await keys.find(`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)).toBeUndefined()
      expect(await keys.find('an operator’s key')).toBeUndefined()
    })

    it('stand nowhere in the database', async () => {
      const { key, id } = await issue()
      const rows = await subject().rows<{ line: string }>(
        `select row_to_json(key)::text as line from bridge.service_keys key where key.id = '${id}'`,
      )
      expect(rows).toHaveLength(1)
      expect(rows[0]?.line).not.toContain(key.slice(4))
      expect(rows[0]?.line).toContain('key_hash')
    })

    it('know when they were used last', async () => {
      const { keys, id, key } = await issue()
      const row = async () => (await keys.list()).find((each) => each.id === id)
      expect((await row())?.lastUsedAt).toBeUndefined()
      await keys.find(key)
      expect((await row())?.lastUsedAt).toBeInstanceOf(Date)
    })

    it('are dead and out of the list when revoked, however often', async () => {
      const { keys, id, key } = await issue()
      expect(await keys.revoke(id)).toBe(true)
      expect(await keys.revoke(id)).toBe(true)
      expect(await keys.find(key)).toBeUndefined()
      expect((await keys.list()).some((each) => each.id === id)).toBe(false)
      expect(await keys.revoke('nobody')).toBe(false)
    })
  })

  describe('the audit', () => {
    it('is read newest first, by page and by location', async () => {
      const { audit } = subject().store
      const locationId = freshLocation()
      for (const target of ['a', 'b', 'c']) {
        await audit.record({
          callerKind: 'service',
          callerId: 'key-1',
          action: 'GET /x',
          locationId,
          target,
          outcome: '200',
        })
      }
      const first = await audit.list({ locationId, limit: 2 })
      expect(first.entries.map(({ target }) => target)).toEqual(['c', 'b'])
      const second = await audit.list({
        locationId,
        limit: 2,
        ...(first.nextCursor !== undefined && { cursor: first.nextCursor }),
      })
      expect(second.entries.map(({ target }) => target)).toEqual(['a'])
      expect(second.nextCursor).toBeUndefined()
      expect(second.entries[0]).toMatchObject({ callerKind: 'service', callerId: 'key-1', outcome: '200' })
    })

    it('names keys that are revoked, numbers and places', async () => {
      const { audit, serviceKeys } = subject().store
      const place = await freshPlace(subject())
      const { locationId, sessionId } = place
      await nameLocation(subject(), locationId, 'Dental')
      await subject().run(`update bridge.sessions set name = 'Reception' where id = '${sessionId}'`)
      const { id } = await createServiceKeys(serviceKeys).issue({
        name: 'Shop',
        locationId,
        scopes: ['sync'],
      })
      await serviceKeys.revoke(id)
      const deed = { callerKind: 'service', callerId: id, action: 'x', locationId, outcome: '200' } as const
      await audit.record({ ...deed, target: sessionId })
      await audit.record({ ...deed, target: id })
      await audit.record({ ...deed, target: 'nobody' })
      const names = (await audit.list({ locationId, limit: 3 })).entries.map((entry) => [
        entry.callerName,
        entry.locationName,
        entry.targetName,
      ])
      expect(names).toEqual([
        ['Shop', 'Dental', undefined],
        ['Shop', 'Dental', 'Shop'],
        ['Shop', 'Dental', 'Reception'],
      ])
    })

    it('refuses a cursor that no page gave', async () => {
      await expect(subject().store.audit.list({ limit: 1, cursor: '1;drop' })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      })
    })

    it('forgets what is older than its time', async () => {
      const { audit, prune } = subject().store
      const locationId = freshLocation()
      const deed = { callerKind: 'operator', callerId: undefined, action: 'x', locationId } as const
      await audit.record({ ...deed, target: 'old', outcome: '200' })
      await subject().run(
        `update bridge.audit set at = now() - interval '91 days' where location_id = '${locationId}'`,
      )
      await audit.record({ ...deed, target: 'new', outcome: '200' })
      await prune()
      expect((await audit.list({ locationId, limit: 10 })).entries.map(({ target }) => target)).toEqual([
        'new',
      ])
    })
  })

  describe('call logs', () => {
    const call = (callId: string, minute: number, summary = 'asked'): CallLog => ({
      callId,
      agentId: 'agent',
      ghlContactId: undefined,
      durationSec: 42,
      isTrial: false,
      calledAt: new Date(Date.UTC(2026, 10, 20, 10, minute)),
      details: { summary, fromNumber: '+15550001111' },
    })

    it('are kept once, the later look over the earlier', async () => {
      const { callLogs } = subject().store
      const locationId = freshLocation()
      expect(await callLogs.save(locationId, [call('a', 1), call('b', 2)])).toBe(2)
      expect(await callLogs.save(locationId, [call('b', 2, 'was answered'), call('c', 3)])).toBe(1)
      const { calls } = await callLogs.list({ locationId, limit: 10 })
      expect(calls.map(({ callId }) => callId)).toEqual(['c', 'b', 'a'])
      expect(calls[1]).toEqual(call('b', 2, 'was answered'))
    })

    it('are read by page and by time, of one location only', async () => {
      const { callLogs } = subject().store
      const locationId = freshLocation()
      // Two in the same moment: the page must not lose one of them.
      await callLogs.save(locationId, [call('a', 1), call('b', 5), call('c', 5), call('d', 9)])
      await callLogs.save(freshLocation(), [call('e', 5)])
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await callLogs.list({ locationId, limit: 1, ...(cursor !== undefined && { cursor }) })
        seen.push(...page.calls.map(({ callId }) => callId))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      expect(seen).toEqual(['d', 'c', 'b', 'a'])
      const { calls } = await callLogs.list({
        locationId,
        limit: 10,
        from: call('', 2).calledAt,
        to: call('', 8).calledAt,
      })
      expect(calls.map(({ callId }) => callId)).toEqual(['c', 'b'])
    })

    it('keep what was said sealed', async () => {
      const locationId = freshLocation()
      await subject().store.callLogs.save(locationId, [call('a', 1, 'a secret wish')])
      const rows = await subject().rows<{ details: string }>(
        `select details from bridge.call_logs where location_id = '${locationId}'`,
      )
      expect(rows[0]?.details).not.toContain('secret')
    })
  })
}
