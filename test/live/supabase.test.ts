/**
 * Against a real Supabase project, for what no stand-in can show: the gateway, its keys, real round trips, Realtime. Runs
 * only when SUPABASE_LIVE_URL and SUPABASE_LIVE_KEY name a project whose schema is up to date and whose data may be
 * written to (vitest.config.ts leaves this folder out otherwise). Run it before each release.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseLocationId, parseSessionId } from '../../src/core/ids.ts'
import { openStore, type Store } from '../../src/store/open-store.ts'
import {
  agentMessage,
  ENCRYPTION_KEY,
  envelope,
  freshPerson,
  LEASE_MS,
  partsOf,
} from '../integration/store/subject.ts'
import { silentLog } from '../support/silent-log.ts'

const url = process.env['SUPABASE_LIVE_URL'] ?? ''
const serviceRoleKey = process.env['SUPABASE_LIVE_KEY'] ?? ''

describe('a real Supabase project', () => {
  let store: Store
  const node = randomUUID()
  const place = { locationId: parseLocationId(`live-${node}`), sessionId: parseSessionId(node) }

  beforeAll(async () => {
    store = await openStore({
      supabase: { url, serviceRoleKey },
      dataDir: '',
      encryptionKeys: [ENCRYPTION_KEY],
      log: silentLog,
    })
    await store.sessions.create(place)
    for (const lease of (await store.leases.tend({ node, ttlMs: 600_000, isAlone: false })).held)
      store.fences.grant(lease)
  })
  afterAll(async () => {
    await store.sessions.remove(place.sessionId)
    await store.leases.release(node)
    await store.close()
  })

  it('takes a message once, hands its job out once, and lets go of it', async () => {
    const message = envelope(place, freshPerson().lid)
    expect(await store.messages.acceptInbound(message)).toBe('enqueued')
    expect(await store.messages.acceptInbound(message)).toBe('duplicate')
    const { jobs } = await store.outbox.claim(10, LEASE_MS, [place.locationId])
    expect(jobs).toHaveLength(1)
    for (const job of jobs) expect(await store.outbox.complete(job, LEASE_MS)).toBeUndefined()
  })

  it('keeps Signal keys in one write under the fence', async () => {
    await store.signal.write(place.sessionId, {
      credentials: 'c',
      keys: [{ kind: 'session', id: 'x', value: '1' }],
    })
    expect(await store.signal.read(place.sessionId, 'session', ['x'])).toEqual(new Map([['x', '1']]))
  })

  it('says by Realtime that there is work', async () => {
    const heard = Promise.withResolvers<string>()
    await store.listen(({ topic, subject }) => {
      if (topic === 'work') heard.resolve(subject)
    })
    await expect
      .poll(
        async () => {
          await store.messages.acceptOutbound(agentMessage(place), partsOf('wake up'))
          return await Promise.race([heard.promise, Promise.resolve(undefined)])
        },
        { timeout: 20_000, interval: 1_000 },
      )
      .toBe(place.locationId)
  })
})
