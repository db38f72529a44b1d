import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { FenceBook, fencedDatabase } from '../../../src/store/leases.ts'
import { createSeal } from '../../../src/store/seal.ts'
import { createSignalStore } from '../../../src/store/signal.ts'
import { agentMessage, ENCRYPTION_KEY, freshPlace, LEASE_MS, partsOf, type Subject } from './subject.ts'

const TTL_MS = 600_000

/** Leases are about a whole database, so every test clears what others left. */
async function noLeases({ run }: Subject): Promise<void> {
  await run('delete from bridge.leases; delete from bridge.nodes')
}

const expire = ({ run }: Subject, node: string) =>
  run(`
    update bridge.leases set until = clock_timestamp() - interval '1 second' where node = '${node}';
    update bridge.nodes set until = clock_timestamp() - interval '1 second' where id = '${node}'`)

export function describeLeases(subject: () => Subject): void {
  describe('leases', () => {
    const beat = async (node: string, isAlone = false) =>
      await subject().store.leases.tend({ node, ttlMs: TTL_MS, isAlone })
    const names = ({ held }: Awaited<ReturnType<typeof beat>>) => held.map(({ locationId }) => locationId)

    it('give a location with a number to one node, and to another only when it is free', async () => {
      await noLeases(subject())
      const { locationId } = await freshPlace(subject())
      const [a, b] = [randomUUID(), randomUUID()]
      expect(names(await beat(a))).toContain(locationId)
      expect(names(await beat(b))).not.toContain(locationId)
      await subject().store.leases.release(a)
      expect(names(await beat(b))).toContain(locationId)
    })

    it('draw a higher fence for every new owner, and keep it while they are renewed', async () => {
      await noLeases(subject())
      const { locationId } = await freshPlace(subject())
      const [a, b] = [randomUUID(), randomUUID()]
      const fenceOf = async (node: string) =>
        BigInt((await beat(node)).held.find((lease) => lease.locationId === locationId)?.fence ?? '-1')
      const first = await fenceOf(a)
      expect(await fenceOf(a)).toBe(first)
      await expire(subject(), a)
      const second = await fenceOf(b)
      expect(second).toBeGreaterThan(first)
    })

    it('share locations out evenly: a node gives back what is more than its share', async () => {
      await noLeases(subject())
      for (let count = 0; count < 4; count += 1) await freshPlace(subject())
      const [a, b] = [randomUUID(), randomUUID()]
      const alone = await beat(a)
      expect(alone.excess).toBe(0)
      await beat(b)
      const { held, excess } = await beat(a)
      expect(excess).toBe(Math.floor(held.length / 2))
      await subject().store.leases.release(
        a,
        held.slice(-excess).map((lease) => lease.locationId),
      )
      expect((await beat(b)).held).toHaveLength(excess)
      expect((await beat(a)).excess).toBe(0)
    })

    it('belong at once to the only process of an embedded store, whoever held them', async () => {
      await noLeases(subject())
      const { locationId } = await freshPlace(subject())
      await beat(randomUUID())
      expect(names(await beat(randomUUID(), true))).toContain(locationId)
    })

    it('free what a dead owner was working on, and the next claim knows that it may have happened', async () => {
      await noLeases(subject())
      const place = await freshPlace(subject())
      const { outbox, messages } = subject().store
      await messages.acceptOutbound(agentMessage(place), partsOf('hello'))
      const a = randomUUID()
      await beat(a)
      const claimed = await outbox.claim(10, LEASE_MS, [place.locationId])
      expect(claimed.jobs).toHaveLength(1)
      expect((await outbox.claim(10, LEASE_MS, [place.locationId])).jobs).toHaveLength(0)
      await expire(subject(), a)
      await beat(randomUUID())
      const again = await outbox.claim(10, LEASE_MS, [place.locationId])
      expect(again.jobs).toMatchObject([{ attempts: 2, mayHaveHappened: true }])
    })

    it('let a node claim for its own locations only', async () => {
      const [ours, theirs] = [await freshPlace(subject()), await freshPlace(subject())]
      const { outbox, messages } = subject().store
      await messages.acceptOutbound(agentMessage(ours), partsOf('ours'))
      await messages.acceptOutbound(agentMessage(theirs), partsOf('theirs'))
      expect((await outbox.claim(10, LEASE_MS, [ours.locationId])).jobs).toHaveLength(1)
      expect((await outbox.claim(10, LEASE_MS, [])).jobs).toHaveLength(0)
      expect((await outbox.claim(10, LEASE_MS, [theirs.locationId])).jobs).toHaveLength(1)
    })

    it('keep a job for longer on request, and say when it is lost', async () => {
      const place = await freshPlace(subject())
      const { outbox, messages } = subject().store
      await messages.acceptOutbound(agentMessage(place), partsOf('slow'))
      const [job] = (await outbox.claim(1, 1, [place.locationId])).jobs
      if (job === undefined) throw new Error('there is no job')
      expect(await outbox.extend(job, LEASE_MS)).toBe(true)
      expect((await outbox.claim(1, LEASE_MS, [place.locationId])).jobs).toHaveLength(0)
      await outbox.complete(job, LEASE_MS)
      expect(await outbox.extend(job, LEASE_MS)).toBe(false)
    })

    it('refuse a write for a session under an old fence, or none, and let it through under the present one', async () => {
      await noLeases(subject())
      const place = await freshPlace(subject())
      const fences = new FenceBook()
      fences.learn(place)
      const { database } = subject()
      const seal = createSeal([ENCRYPTION_KEY])
      const signal = createSignalStore({ database, owned: fencedDatabase(database, fences), seal })
      const write = () => signal.write(place.sessionId, { keys: [{ kind: 'session', id: 'x', value: '1' }] })
      await expect(write()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' })

      const a = randomUUID()
      const mine = (await beat(a)).held.find(({ locationId }) => locationId === place.locationId)
      if (mine === undefined) throw new Error('the lease was not given')
      fences.grant(mine)
      await write()
      expect(await signal.read(place.sessionId, 'session', ['x'])).toEqual(new Map([['x', '1']]))

      await expire(subject(), a)
      await expect(write()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' })
      await beat(randomUUID())
      await expect(write()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' })
    })
  })

  describe('wishes', () => {
    it('reach the owner with the row, are taken once, and a newer one replaces an older', async () => {
      const { sessionId } = await freshPlace(subject())
      const { sessions } = subject().store
      await sessions.wish(sessionId, { id: 'first', kind: 'restart' })
      await sessions.wish(sessionId, { id: 'second', kind: 'log_out' })
      expect((await sessions.find(sessionId))?.wish).toEqual({ id: 'second', kind: 'log_out' })
      expect(await sessions.takeWish(sessionId, 'first')).toBe(false)
      expect(await sessions.takeWish(sessionId, 'second')).toBe(true)
      expect((await sessions.find(sessionId))?.wish).toBeUndefined()
    })

    it('are found for many locations at once, and only while they wait', async () => {
      const { locationId, sessionId } = await freshPlace(subject())
      const { locationId: quiet } = await freshPlace(subject())
      const { sessions } = subject().store
      expect(await sessions.wished([locationId, quiet])).toEqual([])
      await sessions.wish(sessionId, { id: 'only', kind: 'restart' })
      expect(await sessions.wished([locationId, quiet])).toEqual([locationId])
      expect(await sessions.wished([quiet])).toEqual([])
      await sessions.takeWish(sessionId, 'only')
      expect(await sessions.wished([locationId, quiet])).toEqual([])
    })

    it('keep the QR sealed at rest', async () => {
      const { sessionId } = await freshPlace(subject())
      const { sessions } = subject().store
      await sessions.update(sessionId, { status: 'qr', live: { qr: 'very-secret-qr' } })
      expect((await sessions.find(sessionId))?.live).toEqual({ qr: 'very-secret-qr' })
      const [row] = await subject().rows<{ live: string }>(
        `select live from bridge.sessions where id = '${sessionId}'`,
      )
      expect(row?.live).not.toContain('very-secret-qr')
      await sessions.update(sessionId, { status: 'ready', live: null })
      expect((await sessions.find(sessionId))?.live).toBeUndefined()
    })
  })
}
