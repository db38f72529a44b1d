import { describe, expect, it } from 'vitest'
import type { ChatJid } from '../../../src/core/ids.ts'
import {
  agentMessage,
  contactIdOf,
  envelope,
  freshPerson,
  freshPlace,
  ghlContactId,
  LEASE_MS,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
} from './subject.ts'

interface ContactColumns {
  readonly id: string
  readonly lid: string | null
  readonly pn: string | null
  readonly ghl_contact_id: string | null
}

export function describeContacts(subject: () => Subject): void {
  const contactsOf = (place: Place) =>
    subject().rows<ContactColumns>(
      `select id, lid, pn, ghl_contact_id from bridge.contacts where location_id = '${place.locationId}' order by created_at`,
    )
  const accept = (place: Place, chat: ChatJid, chatAlt?: ChatJid) =>
    subject().store.messages.acceptInbound(envelope(place, chat, chatAlt === undefined ? {} : { chatAlt }))
  /** PGlite's clock ticks in milliseconds: two rows made one after the other may be of the same one. */
  const age = (place: Place, form: 'lid' | 'pn', address: ChatJid) =>
    subject().run(
      `update bridge.contacts set created_at = created_at - interval '1 second'
       where location_id = '${place.locationId}' and ${form} = '${address}'`,
    )
  const idOf = (rows: readonly ContactColumns[], index = 0) => {
    const row = rows[index]
    if (row === undefined) throw new Error('no such contact')
    return contactIdOf(row.id)
  }

  describe('contacts', () => {
    it('fills in the other form of an address when it becomes known', async () => {
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await accept(place, pn)
      await accept(place, lid, pn)
      expect(await contactsOf(place)).toMatchObject([{ lid, pn }])
    })

    it('joins two rows that turn out to be one person, with their messages', async () => {
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await accept(place, pn)
      await accept(place, lid)
      expect(await contactsOf(place)).toHaveLength(2)
      await accept(place, lid, pn)
      const joined = await contactsOf(place)
      expect(joined).toMatchObject([{ lid, pn }])
      const { messages } = await subject().store.messages.list({ locationId: place.locationId, limit: 10 })
      expect(new Set(messages.map((row) => row.contactId))).toEqual(new Set([idOf(joined)]))
    })

    it('keeps the row that GHL knows, and finds the person under a former GHL contact too', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await accept(place, pn)
      await accept(place, lid)
      await age(place, 'pn', pn)
      const [byPhone, byLid] = [ghlContactId(), ghlContactId()]
      const before = await contactsOf(place)
      await store.contacts.linkGhl(idOf(before, 0), byPhone)
      await store.contacts.linkGhl(idOf(before, 1), byLid)
      await accept(place, lid, pn)
      expect(await contactsOf(place)).toMatchObject([{ id: before[0]?.id, ghl_contact_id: byPhone }])

      await subject().run('delete from bridge.jobs')
      await store.messages.acceptOutbound(agentMessage(place, { ghlContactId: byLid }), partsOf('x'))
      const { messages } = await store.messages.list({ locationId: place.locationId, limit: 1 })
      const [row] = messages
      if (row === undefined) throw new Error('one message')
      expect(await store.messages.findOutboundWork(row.id)).toMatchObject({
        contact: { lid, pn },
        hasWritten: true,
      })
    })

    it('prefers the younger row when only that one is linked to GHL', async () => {
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await accept(place, pn)
      await accept(place, lid)
      await age(place, 'pn', pn)
      const before = await contactsOf(place)
      await subject().store.contacts.linkGhl(idOf(before, 1), ghlContactId())
      await accept(place, pn, lid)
      expect(await contactsOf(place)).toMatchObject([{ id: before[1]?.id, lid, pn }])
    })

    it('keeps the messages of joined contacts in the order they came, one at a time', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      for (const chat of [pn, lid, pn, lid]) await accept(place, chat)
      const [inFlight] = (await store.outbox.claim(1, LEASE_MS)).jobs
      if (inFlight === undefined) throw new Error('one job')
      await accept(place, lid, pn)

      expect((await store.outbox.claim(10, LEASE_MS)).jobs).toEqual([])
      const done: string[] = []
      for (let job: typeof inFlight | undefined = inFlight; job; ) {
        done.push(job.subject)
        job = await store.outbox.complete(job, LEASE_MS)
      }
      const { messages } = await store.messages.list({ locationId: place.locationId, limit: 10 })
      expect(done).toEqual(messages.map((row) => String(row.id)).reverse())
    })

    it('lets both jobs in flight of joined lanes end before the next begins', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await accept(place, pn)
      await accept(place, lid)
      const { jobs } = await store.outbox.claim(10, LEASE_MS)
      const [one, two] = jobs
      if (one === undefined || two === undefined) throw new Error('two jobs')
      await accept(place, lid, pn)
      expect(await store.outbox.complete(one, LEASE_MS)).toBeUndefined()
      expect((await store.outbox.claim(10, LEASE_MS)).jobs).toEqual([])
      expect(await store.outbox.complete(two, LEASE_MS)).toMatchObject({ kind: 'inbound', attempts: 1 })
    })

    it('counts a message once that came under both forms before they were joined', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const first = envelope(place, pn)
      await store.messages.acceptInbound(first)
      await store.messages.acceptInbound({ ...first, chat: lid, author: lid })
      await accept(place, lid, pn)
      const { messages } = await store.messages.list({ locationId: place.locationId, limit: 10 })
      expect(messages).toHaveLength(2)
    })

    it('moves a number that has a new owner, and leaves its former owner his chat', async () => {
      const place = await freshPlace(subject())
      const former = freshPerson()
      const owner = freshPerson()
      await accept(place, former.lid, former.pn)
      await age(place, 'lid', former.lid)
      await accept(place, owner.lid, former.pn)
      expect(await contactsOf(place)).toMatchObject([
        { lid: former.lid, pn: null },
        { lid: owner.lid, pn: former.pn },
      ])
    })

    it('makes one row when many callers meet a person at once in every form', async () => {
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          index % 3 === 0 ? accept(place, lid) : index % 3 === 1 ? accept(place, pn) : accept(place, lid, pn),
        ),
      )
      expect(await contactsOf(place)).toMatchObject([{ lid, pn }])
    })

    it('joins two rows while messages keep coming under both', async () => {
      for (let round = 0; round < 8; round++) {
        const place = await freshPlace(subject())
        const { lid, pn } = freshPerson()
        await accept(place, lid)
        await accept(place, pn)
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            index === 5 ? accept(place, lid, pn) : accept(place, index % 2 === 0 ? lid : pn),
          ),
        )
        expect(new Set(outcomes)).toEqual(new Set(['enqueued']))
        expect(await contactsOf(place)).toMatchObject([{ lid, pn }])
        const lanes = await subject().rows<{ key: string }>(
          `select key from bridge.lanes where location_id = '${place.locationId}'`,
        )
        expect(lanes).toHaveLength(1)
      }
    })

    it('settles a person found on WhatsApp and links the GHL contact', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      const ghl = ghlContactId()
      const settled = await store.contacts.settle(place.locationId, { chat: lid, alt: pn, ghlContactId: ghl })
      expect(settled).toMatchObject({ lid, pn, chat: lid, ghlContactId: ghl })
      const again = await store.contacts.settle(place.locationId, { chat: lid, alt: pn, ghlContactId: ghl })
      expect(again).toEqual(settled)
    })

    it('forgets a GHL contact that is gone, but still finds the chat of what waits for it', async () => {
      const { store } = subject()
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      const ghl = ghlContactId()
      await store.contacts.settle(place.locationId, { chat: lid, ghlContactId: ghl })
      await store.contacts.unlinkGhl(place.locationId, ghl)
      expect(await contactsOf(place)).toMatchObject([{ ghl_contact_id: null }])
      await store.messages.acceptOutbound(agentMessage(place, { ghlContactId: ghl }), partsOf('x'))
      const [job] = (await store.outbox.claim(1, LEASE_MS)).jobs
      if (job === undefined) throw new Error('one job')
      expect(await store.messages.findOutboundWork(messageIdOf(job))).toMatchObject({
        contact: { chat: lid },
        hasWritten: false,
      })
    })

    it('keeps the same person apart in two locations', async () => {
      const [one, two] = [await freshPlace(subject()), await freshPlace(subject())]
      const { lid, pn } = freshPerson()
      await accept(one, lid, pn)
      await accept(two, lid, pn)
      expect(idOf(await contactsOf(one))).not.toBe(idOf(await contactsOf(two)))
    })
  })
}
