/** Who writes: hidden numbers, several forms of one number, contacts that people merge, delete and change in GHL. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009991'

interface Split {
  readonly kind: string
  readonly ghlContactIds: readonly string[]
  readonly message: string
  readonly action: string
}

describe('the person behind a chat', () => {
  let stage: Stage
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    stage.ghl.setWebhookUrl(`${stage.bridge.url}/ghl/webhook`)
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
  })
  afterAll(async () => {
    await stage.strike()
  })

  const from = async (phone: string, text: string) => {
    const id = await stage.whatsapp.send(phone, { to: OWNER, text })
    return await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId, what: text })
  }
  const agentWrites = (contactId: string, message: string) =>
    stage.ghl.agentReply({ locationId, contactId, message }).messageId
  const reaches = (phone: string, text: string) =>
    stage.whatsapp.waitForMessage(phone, (message) => !message.fromMe && message.text === text, 20_000)
  const textOf = (contactId: string) => stage.ghl.contacts.get(contactId)?.text ?? {}
  const split = async (): Promise<readonly Split[]> => {
    const answer = await stage.bridge.operator('GET', `/api/contacts/split?locationId=${locationId}`)
    expect(answer.status).toBe(200)
    return ((await answer.json()) as { split: Split[] }).split // our own contract
  }
  const about = async (contactId: string) =>
    (await split()).filter(({ ghlContactIds }) => ghlContactIds.includes(contactId))

  describe('who hides the number', () => {
    const LILA = '15551231001'
    let thread: string

    it('becomes a contact without phone under the name WhatsApp shows, and is answered', async () => {
      stage.whatsapp.addAccount({ phone: LILA, name: 'Lila', hidesNumber: true })
      const message = await from(LILA, 'I hide my number')
      thread = message.contactId
      expect(textOf(thread)).toMatchObject({ firstName: 'Lila' })
      expect(textOf(thread)).not.toHaveProperty('phone')
      agentWrites(thread, 'Good day')
      await reaches(LILA, 'Good day')
    })

    it('keeps the thread when the number is learnt, without a message, and the contact gets it', async () => {
      stage.whatsapp.revealNumber(LILA, OWNER)
      await waitFor('the number in GHL', () => textOf(thread).phone === `+${LILA}`)
      const message = await from(LILA, 'Here is my number')
      expect(message.contactId).toBe(thread)
      expect(
        stage.ghl.contacts.list(locationId).filter(({ text }) => text.firstName === 'Lila'),
      ).toHaveLength(1)
    })

    it('keeps the thread also when the number comes with the next message', async () => {
      const phone = '15551231002'
      stage.whatsapp.addAccount({ phone, name: 'Mona', hidesNumber: true })
      const { contactId } = await from(phone, 'first')
      stage.whatsapp.revealNumber(phone)
      expect((await from(phone, 'second')).contactId).toBe(contactId)
      await waitFor('the number in GHL', () => textOf(contactId).phone === `+${phone}`)
    })

    it('does not lose a number that a person typed', async () => {
      const phone = '15551231003'
      stage.whatsapp.addAccount({ phone, name: 'Nora', hidesNumber: true })
      const { contactId } = await from(phone, 'first')
      stage.ghl.contacts.update(contactId, { phone: '+15551239999', name: 'Mrs. Nora' })
      stage.whatsapp.revealNumber(phone)
      await from(phone, 'second')
      await from(phone, 'third')
      expect(textOf(contactId)).toMatchObject({ phone: '+15551239999', firstName: 'Mrs.' })
    })

    it('stays in the thread, and is reported, when another contact has the number', async () => {
      const phone = '15551231004'
      const known = stage.ghl.contacts.add(locationId, { phone: `+${phone}`, name: 'Olga of the CRM' })
      stage.whatsapp.addAccount({ phone, name: 'Olga', hidesNumber: true })
      const { contactId } = await from(phone, 'first')
      expect(contactId).not.toBe(known.id)
      stage.whatsapp.revealNumber(phone, OWNER)
      expect((await from(phone, 'second')).contactId).toBe(contactId)
      await waitFor('the report', async () => (await about(known.id)).length > 0)
      const [found] = await about(known.id)
      expect(found).toMatchObject({ kind: 'number_elsewhere', ghlContactIds: [contactId, known.id] })
      expect(found?.action).toContain('merge')

      agentWrites(known.id, 'Written in the other contact')
      await reaches(phone, 'Written in the other contact')
      expect((await from(phone, 'third')).contactId).toBe(contactId)

      stage.ghl.contacts.merge(contactId, known.id)
      expect((await from(phone, 'fourth')).contactId).toBe(known.id)
      expect(await about(known.id)).toEqual([])
    })

    it('is followed when people merge the contact into another, where no number could tell', async () => {
      const phone = '15551231005'
      stage.whatsapp.addAccount({ phone, name: 'Pia', hidesNumber: true })
      const { contactId } = await from(phone, 'first')
      const survivor = stage.ghl.contacts.add(locationId, {
        name: 'Pia of the CRM',
        email: 'pia@example.com',
      })
      stage.ghl.contacts.merge(contactId, survivor.id)
      expect((await from(phone, 'second')).contactId).toBe(survivor.id)
      agentWrites(survivor.id, 'Found you')
      await reaches(phone, 'Found you')
    })
  })

  describe('whose number is written in several ways', () => {
    it.each([
      ['Brazil, WhatsApp without the ninth digit', '551187654321', '+5511987654321'],
      ['Brazil, GHL without the ninth digit', '5511987654322', '+551187654322'],
      ['Mexico, WhatsApp with 521', '5215512345678', '+525512345678'],
      ['Mexico, GHL with 521', '525512345679', '+5215512345679'],
      ['Argentina, WhatsApp with 549', '5491123456789', '+541123456789'],
      ['Argentina, GHL with 549', '541123456780', '+5491123456780'],
    ])('is one contact, who writes first or is written to first: %s', async (_name, phone, inGhl) => {
      stage.whatsapp.addAccount({ phone, name: `Person ${phone.slice(-4)}` })
      const known = stage.ghl.contacts.add(locationId, { phone: inGhl, name: 'Known In The CRM' })
      agentWrites(known.id, `first words to ${phone}`)
      await reaches(phone, `first words to ${phone}`)
      expect((await from(phone, `answer of ${phone}`)).contactId).toBe(known.id)
    })

    it('is found in GHL under the other form, also by who writes first', async () => {
      stage.whatsapp.addAccount({ phone: '551187654323', name: 'Ana' })
      const known = stage.ghl.contacts.add(locationId, {
        phone: '+5511987654323',
        name: 'Dr. Ana',
        tags: ['vip'],
      })
      expect((await from('551187654323', 'oi')).contactId).toBe(known.id)
      expect(stage.ghl.contacts.get(known.id)).toMatchObject({ text: { firstName: 'Dr.' }, tags: ['vip'] })
    })

    it('becomes a new contact under the number that can be dialled', async () => {
      stage.whatsapp.addAccount({ phone: '551187654324', name: 'Bia' })
      const { contactId } = await from('551187654324', 'oi')
      expect(textOf(contactId).phone).toBe('+5511987654324')
    })
  })

  describe('whose contact changes in GHL', () => {
    const QUIM = '15551232001'

    it('keeps the name that people typed, and the chat when they change the number', async () => {
      stage.whatsapp.addAccount({ phone: QUIM, name: 'Quim' })
      const { contactId } = await from(QUIM, 'first')
      stage.ghl.contacts.update(contactId, { name: 'Joaquim Silva', phone: '+15551239998', tags: ['vip'] })
      expect((await from(QUIM, 'second')).contactId).toBe(contactId)
      expect(stage.ghl.contacts.get(contactId)).toMatchObject({
        text: { firstName: 'Joaquim', phone: '+15551239998' },
        tags: ['vip'],
      })
      agentWrites(contactId, 'Still here?')
      await reaches(QUIM, 'Still here?')
    })

    it('is found again after a merge and after a deletion, with every message once', async () => {
      const phone = '15551232002'
      stage.whatsapp.addAccount({ phone, name: 'Rosa' })
      const { contactId } = await from(phone, 'first')
      const survivor = stage.ghl.contacts.add(locationId, {
        name: 'Rosa of the CRM',
        email: 'rosa@example.com',
      })
      stage.ghl.contacts.merge(contactId, survivor.id)
      const merged = await from(phone, 'after the merge')
      expect(merged.contactId).toBe(survivor.id)
      stage.ghl.contacts.delete(survivor.id)
      const anew = await from(phone, 'after the deletion')
      expect(textOf(anew.contactId)).toMatchObject({ phone: `+${phone}` })
      const texts = stage.ghl.messages(locationId).map(({ body }) => body)
      for (const text of ['after the merge', 'after the deletion'])
        expect(texts.filter((body) => body === text)).toHaveLength(1)
    })
  })

  it('met no stanza it did not know and sent GHL nothing it refuses', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})
