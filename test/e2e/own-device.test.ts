/** What the business types on its own phone, files included, and what it changes there of what agents sent from GHL. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samplePhoto } from '../../sandbox/sample-photo.ts'
import { Stage } from '../../sandbox/stage.ts'
import type { OutgoingMessage } from '../../sandbox/whatsapp/phone-outbox.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const BRUNO = '15551230002'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('on the phone of the business', () => {
  let stage: Stage
  let locationId: string
  let group: string
  const places: Record<'a person' | 'a group', { to: string; contactId: string }> = {
    'a person': { to: ANA, contactId: '' },
    'a group': { to: '', contactId: '' },
  }

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    stage.whatsapp.addAccount({ phone: BRUNO, name: 'Bruno' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.bridge.operator('PUT', `/ghl/location/${locationId}/settings`, { groups: true })
    await stage.pair(locationId, OWNER)
    group = stage.whatsapp.createGroup({ subject: 'Tulips', creator: ANA, members: [OWNER, BRUNO] }).jid
    places['a person'].contactId = (
      await filed(await stage.whatsapp.send(ANA, { to: OWNER, text: 'Hi' }))
    ).contactId
    places['a group'].contactId = (
      await filed(await stage.whatsapp.send(ANA, { to: group, text: 'Hi' }))
    ).contactId
    places['a group'].to = group
  })
  afterAll(async () => {
    await stage.strike()
  })

  const filed = (altId: string) =>
    stage.ghl.waitForMessage((message) => message.altId === altId, {
      locationId,
      timeoutMs: 20_000,
      what: altId,
    })
  const typed = async (to: string, content: Omit<OutgoingMessage, 'to'>) =>
    await filed(await stage.whatsapp.send(OWNER, { to, ...content }))
  const download = async (url: string): Promise<Uint8Array> =>
    new Uint8Array(await (await fetch(url)).arrayBuffer())
  /** Sends from GHL and returns WhatsApp's id of it, once the phone of the business has its copy. */
  const agentWrites = async (contactId: string, message: string): Promise<string> => {
    stage.ghl.agentReply({ locationId, contactId, message })
    return (await stage.whatsapp.waitForMessage(OWNER, ({ text }) => text === message, 20_000)).id
  }

  describe.each(['a person', 'a group'] as const)('to %s', (place) => {
    it('files are outbound in GHL, byte for byte, without a name before them, and are not sent again', async () => {
      const { to, contactId } = places[place]
      const photo = await samplePhoto('phone', '#135')
      const files: NonNullable<OutgoingMessage['media']>[] = [
        { kind: 'image', bytes: photo, mimetype: 'image/jpeg', caption: `For ${place}` },
        { kind: 'document', bytes: randomBytes(30_000), mimetype: 'application/zip', fileName: 'a.zip' },
        {
          kind: 'audio',
          bytes: randomBytes(9_000),
          mimetype: 'audio/ogg; codecs=opus',
          voiceNote: true,
          seconds: 7,
        },
      ]
      const messages = []
      for (const media of files) messages.push(await typed(to, { media }))
      expect(messages.map(({ body }) => body)).toEqual([`For ${place}`, '', '[Voice note, 0:07]'])
      for (const [at, message] of messages.entries()) {
        expect(message).toMatchObject({ direction: 'outbound', contactId })
        expect(sha256(await download(message.attachments[0] ?? ''))).toBe(sha256(files[at]?.bytes ?? photo))
      }
      const count = stage.whatsapp.messages(ANA).filter(({ text }) => text === `For ${place}`).length
      await typed(to, { text: `After the files for ${place}` })
      expect(count).toBe(1)
      expect(stage.whatsapp.messages(ANA).filter(({ text }) => text === `For ${place}`)).toHaveLength(1)
    })

    it('an agent’s message that is edited there, and then deleted, reads so in GHL', async () => {
      const { to, contactId } = places[place]
      const id = await agentWrites(contactId, `We open at 9, ${place}`)
      const edited = await typed(to, { edit: { id, text: 'We open at 10' } })
      expect(edited).toMatchObject({
        direction: 'outbound',
        contactId,
        body: `[Edited, it was “We open at 9, ${place}”]\nWe open at 10`,
      })
      const deleted = await typed(to, { revoke: id })
      expect(deleted).toMatchObject({
        direction: 'outbound',
        contactId,
        body: `[Deleted “We open at 9, ${place}”]`,
      })
    })

    it('a customer’s message that is answered and reacted to there reads so in GHL', async () => {
      const { to, contactId } = places[place]
      const asked = await stage.whatsapp.send(ANA, {
        to: place === 'a person' ? OWNER : group,
        text: 'Parking?',
      })
      await filed(asked)
      const answer = await typed(to, { text: 'Behind the house', quote: asked })
      const author = place === 'a person' ? '' : 'Ana: '
      expect(answer).toMatchObject({
        direction: 'outbound',
        contactId,
        body: `[Replying to ${author}“Parking?”]\nBehind the house`,
      })
      const reaction = await typed(to, { reaction: { id: asked, emoji: '👍' } })
      expect(reaction).toMatchObject({ direction: 'outbound', contactId, body: '[Reacted 👍 to “Parking?”]' })
    })
  })

  it('a quote in a group names whom it quotes: a member, or us', async () => {
    const asked = await stage.whatsapp.send(ANA, { to: group, text: 'Who brings soil?' })
    await filed(asked)
    const answer = await filed(await stage.whatsapp.send(BRUNO, { to: group, text: 'I do', quote: asked }))
    expect(answer.body).toBe(`Bruno (+${BRUNO}): [Replying to Ana: “Who brings soil?”]\nI do`)
    const ours = await agentWrites(places['a group'].contactId, 'We bring pots')
    await stage.whatsapp.waitForMessage(ANA, ({ id }) => id === ours, 20_000)
    const thanks = await filed(await stage.whatsapp.send(ANA, { to: group, text: 'Great', quote: ours }))
    expect(thanks.body).toBe(`Ana (+${ANA}): [Replying to you: “We bring pots”]\nGreat`)
  })

  it('a message of a group is marked read for its author when the agent answers, where that is wanted', async () => {
    await stage.bridge.operator('PUT', `/ghl/location/${locationId}/settings`, { markRead: true })
    const ofAna = await stage.whatsapp.send(ANA, { to: group, text: 'Seen, Ana?' })
    const ofBruno = await stage.whatsapp.send(BRUNO, { to: group, text: 'Seen, Bruno?' })
    await filed(ofAna)
    await filed(ofBruno)
    const isRead = (phone: string, id: string) =>
      stage.whatsapp
        .receipts(phone)
        .some(({ messageId, type, from }) => messageId === id && type === 'read' && from === OWNER)
    expect(isRead(ANA, ofAna) || isRead(BRUNO, ofBruno)).toBe(false)
    await agentWrites(places['a group'].contactId, 'Both seen')
    await waitFor('both blue ticks', () => isRead(ANA, ofAna) && isRead(BRUNO, ofBruno))
  })

  it('met no stanza it did not know, and sent GHL nothing it refuses', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})
