import { describe, expect, it } from 'vitest'
import type { Job } from '../../../src/bridge/storage/outbox.ts'
import { isLidJid, isPnJid, type LidJid, type PnJid } from '../../../src/core/ids.ts'
import {
  agentMessage,
  contactIdOf,
  envelope,
  freshPerson,
  freshPlace,
  ghlContactId,
  ghlConversationId,
  ghlMessageId,
  LEASE_MS,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
} from './subject.ts'

/** The forms of a person, each in its own type. */
function someone(): { lid: LidJid; pn: PnJid } {
  const { lid, pn } = freshPerson()
  if (!isLidJid(lid) || !isPnJid(pn)) throw new Error('not the forms of a person')
  return { lid, pn }
}

export function describeIdentity(subject: () => Subject): void {
  /** Takes every job that is ready, and ends them. */
  const jobs = async (): Promise<Job[]> => {
    const { outbox } = subject().store
    const taken: Job[] = []
    for (;;) {
      const { jobs: claimed } = await outbox.claim(10, LEASE_MS)
      if (claimed.length === 0) return taken
      for (const job of claimed) {
        taken.push(job)
        for (
          let next = await outbox.complete(job, LEASE_MS);
          next;
          next = await outbox.complete(next, LEASE_MS)
        )
          taken.push(next)
      }
    }
  }
  const jobsOf = async (kind: Job['kind']) => (await jobs()).filter((job) => job.kind === kind)
  /** Accepts a message and returns its row. */
  const receive = async (...given: Parameters<typeof envelope>) => {
    const { messages } = subject().store
    const sent = envelope(...given)
    await messages.acceptInbound(sent)
    const page = await messages.list({ locationId: sent.locationId, limit: 50 })
    const row = page.messages.find(({ waMessageId }) => waMessageId === sent.waMessageId)
    if (row?.contactId === undefined) throw new Error('the message is not there')
    return { ...row, contactId: contactIdOf(row.contactId) }
  }
  const file = async (id: Awaited<ReturnType<typeof receive>>['id'], as = ghlMessageId()) => {
    await subject().store.messages.recordFiled(id, {
      ghlMessageId: as,
      ghlConversationId: ghlConversationId(),
    })
    return as
  }

  describe('what a GHL contact is owed', () => {
    it('is a job as soon as the number is known, and no longer than until it is paid', async () => {
      const { contacts } = subject().store
      const place = await freshPlace(subject())
      const { lid, pn } = someone()
      const { contactId } = await receive(place, lid)
      const ghl = ghlContactId()
      await contacts.linkGhl(contactId, ghl, { owesPhone: true })
      expect(await jobsOf('contact')).toEqual([])
      expect(await contacts.findOwed(contactId)).toBeUndefined()

      await receive(place, lid, { chatAlt: pn })
      expect(await jobsOf('contact')).toMatchObject([{ subject: contactId }])
      const owed = await contacts.findOwed(contactId)
      expect(owed).toMatchObject({ contact: { pn, ghlContactId: ghl }, owesPhone: true, owesName: false })

      for (let times = 0; times < 2; times++)
        await contacts.recordPaid(contactId, ghl, { owesPhone: true, owesName: false })
      expect(await contacts.findOwed(contactId)).toBeUndefined()
      await receive(place, lid, { chatAlt: pn })
      expect(await jobsOf('contact')).toEqual([])
    })

    it('is a job at once when the number came before the link', async () => {
      const place = await freshPlace(subject())
      const { lid, pn } = someone()
      const { contactId } = await receive(place, lid)
      await receive(place, lid, { chatAlt: pn })
      await subject().store.contacts.linkGhl(contactId, ghlContactId(), { owesPhone: true })
      expect(await jobsOf('contact')).toMatchObject([{ subject: contactId }])
    })

    it('is the person’s own name too, never the one of our own phone', async () => {
      const { contacts } = subject().store
      const place = await freshPlace(subject())
      const { pn } = someone()
      const { contactId } = await receive(place, pn, { fromMe: true, pushName: 'Dental Care' })
      await contacts.linkGhl(contactId, ghlContactId(), { owesName: true })
      await receive(place, pn, { fromMe: true, pushName: 'Dental Care' })
      expect(await jobsOf('contact')).toEqual([])
      await receive(place, pn, { pushName: 'Ana' })
      expect(await jobsOf('contact')).toHaveLength(1)
      expect(await contacts.findOwed(contactId)).toMatchObject({
        contact: { pushName: 'Ana' },
        owesName: true,
      })
    })

    it('is nothing any more after the contact has gone from GHL', async () => {
      const { contacts } = subject().store
      const place = await freshPlace(subject())
      const { lid, pn } = someone()
      const { contactId } = await receive(place, lid)
      const ghl = ghlContactId()
      await contacts.linkGhl(contactId, ghl, { owesPhone: true })
      await contacts.unlinkGhl(place.locationId, ghl)
      await receive(place, lid, { chatAlt: pn })
      expect(await jobsOf('contact')).toEqual([])
    })
  })

  describe('which number belongs to which LID', () => {
    it('is learnt for people we have met, and joins them without a message', async () => {
      const { contacts } = subject().store
      const place = await freshPlace(subject())
      const [met, twice, never] = [someone(), someone(), someone()]
      const { contactId } = await receive(place, met.lid)
      await contacts.linkGhl(contactId, ghlContactId(), { owesPhone: true })
      await receive(place, twice.lid)
      await receive(place, twice.pn)
      await jobs()
      expect(await contacts.learn(place.locationId, [met, twice, never])).toBe(2)
      expect(await contacts.learn(place.locationId, [met, twice, never])).toBe(0)
      expect(await jobsOf('contact')).toMatchObject([{ subject: contactId }])
      const rows = await subject().rows<{ lid: string; pn: string }>(
        `select lid, pn from bridge.contacts where location_id = '${place.locationId}' order by created_at`,
      )
      expect(rows).toEqual([met, twice])
    })
  })

  describe('a person without a live GHL contact', () => {
    it('is looked for where the last filed message stands', async () => {
      const { contacts, messages } = subject().store
      const place = await freshPlace(subject())
      const { lid } = someone()
      const first = await receive(place, lid)
      const ghl = ghlContactId()
      await contacts.linkGhl(first.contactId, ghl)
      await file(first.id)
      const last = await file((await receive(place, lid)).id)
      const waiting = await receive(place, lid)
      expect((await messages.findInboundWork(waiting.id))?.contact).not.toHaveProperty('lastFiled')
      await contacts.unlinkGhl(place.locationId, ghl)
      expect((await messages.findInboundWork(waiting.id))?.contact.lastFiled).toBe(last)
    })
  })

  describe('a message', () => {
    it('says by which number it came, and how many are linked', async () => {
      const { messages, sessions } = subject().store
      const place = await freshPlace(subject())
      const other = await freshPlace(subject())
      await sessions.update(place.sessionId, { phoneNumber: '+15550001111', status: 'ready', name: 'Sales' })
      await sessions.update(other.sessionId, { phoneNumber: '+15550002222', status: 'ready' })
      const { id } = await receive(place, someone().pn)
      const via = async () => (await messages.findInboundWork(id))?.via
      expect(await via()).toEqual({ name: 'Sales', phoneNumber: '+15550001111', numbers: 1 })
      await subject().run(
        `insert into bridge.sessions (id, location_id, phone_number, status) values
           ('${place.sessionId}-2', '${place.locationId}', '+15550003333', 'disconnected'),
           ('${place.sessionId}-3', '${place.locationId}', '+15550004444', 'logged_out'),
           ('${place.sessionId}-4', '${place.locationId}', null, 'qr')`,
      )
      expect((await via())?.numbers).toBe(2)
      await sessions.remove(place.sessionId)
      expect(await via()).toEqual({ name: undefined, phoneNumber: undefined, numbers: 1 })
    })
  })

  describe('what the agent has seen', () => {
    /** A chat with two messages filed, and one that has not reached GHL yet. */
    const chat = async (place: Place) => {
      const { contacts } = subject().store
      const { pn } = someone()
      const filed = [await receive(place, pn), await receive(place, pn)]
      const ghl = ghlContactId()
      await contacts.linkGhl(filed[0]?.contactId ?? contactIdOf(''), ghl)
      for (const { id } of filed) await file(id)
      const unfiled = await receive(place, pn)
      await jobs()
      return { pn, ghl, filed, unfiled }
    }
    const answer = async (place: Place, ghl: ReturnType<typeof ghlContactId>) => {
      await subject().store.messages.acceptOutbound(
        agentMessage(place, { ghlContactId: ghl }),
        partsOf('my answer'),
      )
      const [job] = await jobsOf('outbound')
      if (job === undefined) throw new Error('one job')
      return messageIdOf(job)
    }

    it('is what stood in GHL when the answer came, and is owed once', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const { pn, ghl, filed, unfiled } = await chat(place)
      const answered = await answer(place, ghl)
      await file(unfiled.id)
      const later = await receive(place, pn)
      await file(later.id)
      await jobs()

      for (let times = 0; times < 2; times++) await messages.oweReads({ answeredBy: answered })
      expect(await jobsOf('read')).toMatchObject([{ subject: place.sessionId }])
      const owed = await messages.findOwedReads(place.sessionId)
      expect(owed).toEqual({
        locationId: place.locationId,
        messages: filed.map(({ id, waMessageId }) => ({ id, chat: pn, author: pn, waMessageId })),
      })
      await messages.settleReads(
        filed.map(({ id }) => id),
        true,
      )
      expect((await messages.findOwedReads(place.sessionId))?.messages).toEqual([])
      const { messages: listed } = await messages.list({ locationId: place.locationId, limit: 10 })
      const stateOf = (id: string) => listed.find((row) => row.id === id)?.state
      expect([...filed, later].map(({ id }) => stateOf(id))).toEqual(['read', 'read', 'delivered'])
    })

    it('is what stood there when the conversation was opened', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const { ghl, filed } = await chat(place)
      const opened = { locationId: place.locationId, ghlContactId: ghl }
      await messages.oweReads({ ...opened, until: new Date(Date.now() - 3_600_000) })
      expect(await jobsOf('read')).toEqual([])
      await messages.oweReads({ ...opened, until: new Date(Date.now() + 3_600_000) })
      expect((await messages.findOwedReads(place.sessionId))?.messages.map(({ id }) => id)).toEqual(
        filed.map(({ id }) => id),
      )
      await messages.oweReads({ ...opened, ghlContactId: ghlContactId(), until: new Date() })
    })

    it('is forgiven without being read, and goes with its number', async () => {
      const { messages, sessions } = subject().store
      const place = await freshPlace(subject())
      const { ghl, filed } = await chat(place)
      await messages.oweReads({ answeredBy: await answer(place, ghl) })
      await messages.settleReads([filed[0]?.id ?? messageIdOf({ subject: '' })], false)
      expect((await messages.findOwedReads(place.sessionId))?.messages).toHaveLength(1)
      const { messages: listed } = await messages.list({ locationId: place.locationId, limit: 10 })
      expect(listed.find((row) => row.id === filed[0]?.id)?.state).toBe('delivered')
      await sessions.remove(place.sessionId)
      expect(await messages.findOwedReads(place.sessionId)).toBeUndefined()
    })
  })

  describe('people who exist twice', () => {
    it('keep the thread they have when an agent writes to another of their contacts', async () => {
      const { contacts } = subject().store
      const place = await freshPlace(subject())
      const { lid, pn } = someone()
      const { contactId } = await receive(place, lid)
      const [thread, other] = [ghlContactId(), ghlContactId()]
      await contacts.linkGhl(contactId, thread)
      for (let times = 0; times < 2; times++) {
        const settled = await contacts.settle(place.locationId, { chat: lid, alt: pn, ghlContactId: other })
        expect(settled).toMatchObject({ lid, pn, ghlContactId: thread })
      }
      expect((await contacts.listSplit(place.locationId)).several).toMatchObject([
        { contact: { contactId, ghlContactId: thread }, others: [other] },
      ])
    })

    it('are listed: shared contacts, moved numbers, numbers on another contact', async () => {
      const { contacts } = subject().store
      const place = await freshPlace(subject())
      const [former, owner, hidden] = [someone(), someone(), someone()]
      const before = await receive(place, former.lid, { chatAlt: former.pn })
      const after = await receive(place, owner.lid, { chatAlt: former.pn })
      const shared = ghlContactId()
      await contacts.linkGhl(before.contactId, shared)
      await contacts.linkGhl(after.contactId, shared)
      const lidOnly = await receive(place, hidden.lid)
      const [own, holder] = [ghlContactId(), ghlContactId()]
      await contacts.linkGhl(lidOnly.contactId, own, { owesPhone: true })
      await receive(place, hidden.lid, { chatAlt: hidden.pn })
      await contacts.recordPaid(lidOnly.contactId, own, {
        owesPhone: true,
        owesName: false,
        phoneHolder: holder,
      })
      expect(await contacts.listSplit(place.locationId)).toMatchObject({
        several: [],
        shared: [{ ghlContactId: shared, contacts: [{ lid: former.lid }, { lid: owner.lid }] }],
        moved: [{ former: { lid: former.lid }, owner: { lid: owner.lid, pn: former.pn } }],
        held: [{ contact: { lid: hidden.lid, pn: hidden.pn, ghlContactId: own }, holder }],
      })
      const elsewhere = await freshPlace(subject())
      expect(await contacts.listSplit(elsewhere.locationId)).toEqual({
        several: [],
        shared: [],
        moved: [],
        held: [],
      })
    })
  })
}
