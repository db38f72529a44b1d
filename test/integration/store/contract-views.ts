/** Messages as people see them: whose they are, and what they wait for. */
import { describe, expect, it } from 'vitest'
import type { ChatJid } from '../../../src/core/ids.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  LEASE_MS,
  type Place,
  partsOf,
  type Subject,
  waId,
} from './subject.ts'

export function describeViews(subject: () => Subject): void {
  const messages = () => subject().store.messages
  const listed = async (place: Place) =>
    (await messages().list({ locationId: place.locationId, limit: 9 })).messages
  const contactOf = async (place: Place) => (await listed(place))[0]?.contact

  describe('a message as people see it', () => {
    it('has the name and the number of its person, also when the chat is held under a LID', async () => {
      const place = await freshPlace(subject())
      const { lid, pn } = freshPerson()
      await messages().acceptInbound(envelope(place, lid, { chatAlt: pn, pushName: 'Ana' }))
      const phoneNumber = `+${pn.slice(0, pn.indexOf('@'))}`
      expect(await contactOf(place)).toEqual({ name: 'Ana', phoneNumber, isGroup: false })
    })

    it('has no number while only the LID is known', async () => {
      const place = await freshPlace(subject())
      await messages().acceptInbound(envelope(place, freshPerson().lid, { pushName: 'Ana' }))
      expect(await contactOf(place)).toEqual({ name: 'Ana', phoneNumber: undefined, isGroup: false })
    })

    it('has the subject of its group, not the member who speaks', async () => {
      const place = await freshPlace(subject())
      const group: ChatJid = `12036304${waId().replace(/\D/g, '')}@g.us`
      await messages().acceptInbound(envelope(place, group, { author: freshPerson().lid, pushName: 'Ana' }))
      expect(await contactOf(place)).toEqual({ name: undefined, phoneNumber: undefined, isGroup: true })
      const [job] = (await subject().store.outbox.claim(1, LEASE_MS)).jobs
      const work = await messages().findInboundWork((await listed(place))[0]?.id ?? (waId() as never))
      if (job === undefined || work === undefined) throw new Error('no work')
      await subject().store.groups.recordName(work.contact.contactId, 'Team')
      expect(await contactOf(place)).toMatchObject({ name: 'Team', isGroup: true })
    })

    it('has the number that GHL gave while no number of ours has met the person', async () => {
      const place = await freshPlace(subject())
      await messages().acceptOutbound(
        agentMessage(place, { phone: '+15557654321' }),
        partsOf('first contact'),
      )
      const [message] = await listed(place)
      expect(message?.contact).toEqual({ name: undefined, phoneNumber: '+15557654321', isGroup: false })
      if (message === undefined) throw new Error('no message')
      expect(await messages().find(message.id)).toEqual(message)
    })

    it('says how many of its chat go before it, and what the first of them met', async () => {
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      for (let turn = 0; turn < 3; turn++) await messages().acceptInbound(envelope(place, lid))
      await messages().acceptInbound(envelope(place, freshPerson().lid))
      const queues = async () => (await listed(place)).map(({ queue }) => queue).reverse()
      expect((await queues()).map((queue) => queue?.ahead)).toEqual([0, 1, 2, 0])
      const [job] = (await subject().store.outbox.claim(1, LEASE_MS)).jobs
      if (job === undefined) throw new Error('no job')
      await subject().store.outbox.park(job, 60_000, { code: 'GHL_PAUSED', message: 'it fails' })
      const reason = { code: 'GHL_PAUSED', message: 'it fails' }
      expect((await queues()).map((queue) => queue?.reason)).toEqual([reason, reason, reason, undefined])
    })

    it('waits for nothing when it is held, and for its turn when somebody has released it', async () => {
      const place = await freshPlace(subject())
      await messages().acceptOutbound(agentMessage(place), partsOf('late'), {
        code: 'HELD_TOO_OLD',
        message: 'late',
      })
      const [held] = await listed(place)
      if (held === undefined) throw new Error('no message')
      expect(held.queue).toBeUndefined()
      const released = await messages().retryByHand(held.id)
      expect(released).toMatchObject({
        wasWaiting: true,
        row: { contact: held.contact, queue: { ahead: 0 } },
      })
    })
  })
}
