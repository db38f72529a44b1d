import { createHash, randomBytes } from 'node:crypto'
import {
  decryptEventResponse,
  decryptPollVote,
  downloadMediaMessage,
  normalizeMessageContent,
  proto,
  type WAMessage,
} from '@whiskeysockets/baileys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OutgoingMessage } from '../../sandbox/whatsapp/index.ts'
import type { Companion } from './whatsapp-companion.ts'
import { BUSINESS, CUSTOMER, FRIEND, SandboxWorld } from './whatsapp-world.ts'

let world: SandboxWorld
let companion: Companion

beforeEach(async () => {
  world = await SandboxWorld.begin()
  companion = await world.paired()
})

afterEach(async () => {
  await world.end()
})

/** A customer says it, and the companion has heard it. */
async function heard(message: Omit<OutgoingMessage, 'to'>, to = BUSINESS): Promise<WAMessage> {
  const id = await world.sandbox.send(CUSTOMER, { to, ...message })
  return await companion.untilMessage(({ key }) => key.id === id)
}

function idOf(message: WAMessage | undefined): string {
  return message?.key.id ?? ''
}

function content(message: WAMessage | undefined): proto.IMessage | undefined {
  return normalizeMessageContent(message?.message)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const BYTES = randomBytes(5_000)
const VIDEO = { kind: 'video', bytes: BYTES, mimetype: 'video/mp4' } as const
const IMAGE = { kind: 'image', bytes: BYTES, mimetype: 'image/jpeg' } as const

describe('what a customer sends', () => {
  it('an edit and a delete for all, which name the message they change', async () => {
    const first = await heard({ text: 'tulpis' })
    const edit = await heard({ edit: { id: idOf(first), text: 'tulips' } })
    expect(content(edit)?.protocolMessage).toMatchObject({
      key: { id: idOf(first) },
      type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
      editedMessage: { conversation: 'tulips' },
    })
    await companion.untilHeard('messages.update', (updates) =>
      updates.some(({ key, update }) => key.id === idOf(first) && update.message?.editedMessage),
    )
    await heard({ revoke: idOf(first) })
    await companion.untilHeard('messages.update', (updates) =>
      updates.some(({ key, update }) => key.id === idOf(first) && update.message === null),
    )
    expect(world.sandbox.messages(BUSINESS)[0]).toMatchObject({
      text: 'tulips',
      edited: true,
      revoked: true,
    })
  })

  it('a reaction to what the companion said, and its removal', async () => {
    const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text: 'ready' })
    const id = idOf(sent)
    await world.sandbox.waitForMessage(CUSTOMER, (message) => message.id === id)
    await heard({ reaction: { id, emoji: '❤️' }, addressing: 'pn' })
    const [reaction] = await companion.untilHeard('messages.reaction')
    expect(reaction).toMatchObject({ key: { id, fromMe: true }, reaction: { text: '❤️' } })
    expect(world.sandbox.phone(BUSINESS).log.find(id)?.reactions).toEqual({ [CUSTOMER]: '❤️' })
    await heard({ reaction: { id, emoji: '' } })
    expect(world.sandbox.phone(BUSINESS).log.find(id)?.reactions).toEqual({})
  })

  it('an answer with a quote', async () => {
    const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text: 'red or white?' })
    await world.sandbox.waitForMessage(CUSTOMER, (message) => message.id === idOf(sent))
    const answer = await heard({ text: 'red', quote: idOf(sent) })
    expect(answer.message?.extendedTextMessage).toMatchObject({
      text: 'red',
      contextInfo: { stanzaId: idOf(sent), participant: world.lid(BUSINESS) },
    })
    const quoted = answer.message?.extendedTextMessage?.contextInfo?.quotedMessage
    expect(quoted?.extendedTextMessage?.text ?? quoted?.conversation).toBe('red or white?')
    const picture = await heard({ media: { ...IMAGE, caption: 'these' }, quote: idOf(answer) })
    expect(picture.message?.imageMessage).toMatchObject({
      caption: 'these',
      contextInfo: { stanzaId: idOf(answer), participant: world.lid(CUSTOMER) },
    })
  })

  it.each(['lid', 'pn'] as const)('a poll, and votes that open with its secret (%s)', async (addressing) => {
    const poll = await heard({ poll: { name: 'Colour?', options: ['red', 'white'] }, addressing })
    expect(poll.message?.pollCreationMessageV3).toMatchObject({ name: 'Colour?', selectableOptionsCount: 1 })
    const vote = await heard({ vote: { id: idOf(poll), options: ['white'] }, addressing })
    const update = vote.message?.pollUpdateMessage
    expect(update?.pollCreationMessageKey?.id).toBe(idOf(poll))
    const voter = addressing === 'lid' ? world.lid(CUSTOMER) : `${CUSTOMER}@s.whatsapp.net`
    const opened = decryptPollVote(update?.vote ?? {}, {
      pollCreatorJid: voter,
      pollMsgId: idOf(poll),
      pollEncKey: poll.message?.messageContextInfo?.messageSecret ?? new Uint8Array(),
      voterJid: voter,
    })
    expect(opened.selectedOptions.map((hash) => Buffer.from(hash).toString('hex'))).toEqual([hashOf('white')])
    expect(world.sandbox.phone(BUSINESS).log.find(idOf(poll))?.votes).toEqual({ [CUSTOMER]: ['white'] })
  })

  it('a vote in a poll of the companion', async () => {
    const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, {
      poll: { name: 'Which?', values: ['a', 'b', 'c'], selectableCount: 2 },
    })
    await world.sandbox.waitForMessage(CUSTOMER, ({ kind, text }) => kind === 'poll' && text === 'Which?')
    await heard({ vote: { id: idOf(sent), options: ['a', 'c'] } })
    expect(world.sandbox.phone(BUSINESS).log.find(idOf(sent))?.votes).toEqual({ [CUSTOMER]: ['a', 'c'] })
  })

  it('an event, and an answer to it that opens with its secret', async () => {
    const event = await heard({ event: { name: 'Tulip day', startsAt: new Date('2027-04-01T09:00:00Z') } })
    expect(event.message?.eventMessage).toMatchObject({ name: 'Tulip day' })
    const reply = await heard({ eventReply: { id: idOf(event), answer: 'GOING' } })
    const jid = `${CUSTOMER}@s.whatsapp.net`
    const opened = decryptEventResponse(reply.message?.encEventResponseMessage ?? {}, {
      eventCreatorJid: jid,
      eventMsgId: idOf(event),
      eventEncKey: event.message?.messageContextInfo?.messageSecret ?? new Uint8Array(),
      responderJid: jid,
    })
    expect(opened.response).toBe(proto.Message.EventResponseMessage.EventResponseType.GOING)
  })

  it('view-once media, which companions learn of and do not get', async () => {
    const once = await heard({ media: IMAGE, viewOnce: true })
    expect(once).toMatchObject({ key: { isViewOnce: true } })
    expect(once.message ?? undefined).toBeUndefined()
    const onPhone = await world.sandbox.waitForMessage(BUSINESS, ({ id }) => id === idOf(once))
    expect(onPhone).toMatchObject({ kind: 'image', mediaError: undefined })
  })

  it('disappearing text', async () => {
    const fading = await heard({ text: 'soon gone', ephemeralSeconds: 86_400 })
    expect(fading.message?.ephemeralMessage?.message?.extendedTextMessage).toMatchObject({
      text: 'soon gone',
      contextInfo: { expiration: 86_400 },
    })
  })

  it('an album with its pictures and videos', async () => {
    const { id, items } = await world.sandbox.sendAlbum(CUSTOMER, BUSINESS, [IMAGE, VIDEO, IMAGE])
    const head = await companion.untilMessage(({ key }) => key.id === id)
    expect(head.message?.albumMessage).toMatchObject({ expectedImageCount: 2, expectedVideoCount: 1 })
    for (const item of items) {
      const child = await companion.untilMessage(({ key }) => key.id === item)
      expect(child.message?.messageContextInfo?.messageAssociation?.parentMessageKey?.id).toBe(id)
      expect(await downloadMediaMessage(child, 'buffer', {})).toEqual(BYTES)
    }
  })

  it('places, cards, a GIF, a round video and a voice note', async () => {
    const place = await heard({ location: { latitude: 52.37, longitude: 4.89, name: 'Market' } })
    expect(place.message?.locationMessage).toMatchObject({ degreesLatitude: 52.37, name: 'Market' })
    const live = await heard({ location: { latitude: 52.38, longitude: 4.9, name: 'On my way', live: true } })
    expect(live.message?.liveLocationMessage).toMatchObject({ caption: 'On my way' })
    const ann = { name: 'Ann Florist', phone: '+1 555 123 0009' }
    const one = await heard({ contacts: [ann] })
    expect(one.message?.contactMessage?.vcard).toContain('waid=15551230009:+1 555 123 0009')
    const two = await heard({ contacts: [ann, { name: 'Bob', phone: '+1 555 123 0008' }] })
    expect(two.message?.contactsArrayMessage?.contacts).toHaveLength(2)
    const gif = await heard({ media: { ...VIDEO, gif: true } })
    expect(gif.message?.videoMessage?.gifPlayback).toBe(true)
    const round = await heard({ media: { ...VIDEO, videoNote: true } })
    expect(await downloadMediaMessage(round, 'buffer', {})).toEqual(BYTES)
    const voice = {
      kind: 'audio',
      bytes: BYTES,
      mimetype: 'audio/ogg; codecs=opus',
      voiceNote: true,
    } as const
    expect((await heard({ media: voice })).message?.audioMessage).toMatchObject({ ptt: true })
    const kinds = world.sandbox.messages(BUSINESS).map(({ kind }) => kind)
    const expected = ['location', 'liveLocation', 'contact', 'contactsArray', 'video', 'video', 'audio']
    expect(kinds).toEqual(expected)
  })

  it('a message that only the phone can give, as an answer to an ad', async () => {
    const id = await world.sandbox.send(CUSTOMER, { to: BUSINESS, text: 'from your ad', placeholder: true })
    const stub = await companion.untilMessage(({ key }) => key.id === id)
    expect(stub.messageStubType).toBe(proto.WebMessageInfo.StubType.CIPHERTEXT)
    const given = await companion.untilMessage(({ key, message }) => key.id === id && Boolean(message))
    expect(given).toMatchObject({
      key: { remoteJid: world.lid(CUSTOMER) },
      message: { conversation: 'from your ad' },
    })
  })

  it('all of it in a group too', async () => {
    const members = [BUSINESS, CUSTOMER]
    const { jid } = world.sandbox.createGroup({ subject: 'Tulip fans', creator: FRIEND, members })
    const toGroup = (message: Omit<OutgoingMessage, 'to'>) => heard(message, jid)
    const said = await toGroup({ text: 'hello' })
    const edit = await toGroup({ edit: { id: idOf(said), text: 'hello all' } })
    expect(edit.key).toMatchObject({ remoteJid: jid, participant: world.lid(CUSTOMER) })
    const poll = await toGroup({ poll: { name: 'When?', options: ['now', 'later'] } })
    await world.sandbox.waitForMessage(FRIEND, ({ id }) => id === idOf(poll))
    await world.sandbox.send(FRIEND, { to: jid, vote: { id: idOf(poll), options: ['later'] } })
    await companion.untilMessage(({ message }) => Boolean(message?.pollUpdateMessage))
    await expect
      .poll(() => world.sandbox.phone(BUSINESS).log.find(idOf(poll))?.votes)
      .toEqual({ [FRIEND]: ['later'] })
    const once = await toGroup({ media: IMAGE, viewOnce: true })
    expect(once.key.isViewOnce).toBe(true)
    await toGroup({ text: 'and after that', quote: idOf(said) })
    await toGroup({ revoke: idOf(said) })
    expect(world.sandbox.phone(FRIEND).log.find(idOf(said))).toMatchObject({ edited: true, revoked: true })
  })
})

describe('what the phone shows of what the companion sends', () => {
  it('quotes, edits, deletes, reactions, voice notes and file names', async () => {
    const asked = await heard({ text: 'open on Sunday?' })
    const { socket } = companion
    const jid = asked.key.remoteJid ?? ''
    const answer = await socket.sendMessage(jid, { text: 'we aer' }, { quoted: asked })
    const customer = world.sandbox.phone(CUSTOMER)
    const shown = () => customer.log.find(idOf(answer))
    await customer.waitForMessage(({ quotedId, text }) => quotedId === asked.key.id && text === 'we aer')
    if (!answer) throw new Error('nothing was sent')
    await socket.sendMessage(jid, { text: 'we are', edit: answer.key })
    await customer.waitForMessage(({ kind, targetId }) => kind === 'edit' && targetId === idOf(answer))
    expect(shown()).toMatchObject({ text: 'we are', edited: true, revoked: false })
    await socket.sendMessage(jid, { react: { text: '👍', key: asked.key } })
    await customer.waitForMessage(({ kind }) => kind === 'reaction')
    expect(customer.log.find(idOf(asked))?.reactions).toEqual({ [BUSINESS]: '👍' })
    await socket.sendMessage(jid, { delete: answer.key })
    await customer.waitForMessage(({ kind }) => kind === 'revoke')
    expect(shown()?.revoked).toBe(true)
    const mimetype = 'audio/ogg; codecs=opus'
    await socket.sendMessage(jid, { audio: BYTES, mimetype, ptt: true })
    expect(await customer.waitForMessage(({ kind }) => kind === 'audio')).toMatchObject({
      voiceNote: true,
      media: { mimetype },
    })
    await socket.sendMessage(jid, {
      document: BYTES,
      mimetype: 'application/pdf',
      fileName: 'price list.pdf',
    })
    const file = await customer.waitForMessage(({ kind }) => kind === 'document')
    expect(file.media?.fileName).toBe('price list.pdf')
  })
})

describe('who is known by the LID alone', () => {
  const SHY = '15551230005'
  beforeEach(() => {
    world.sandbox.addAccount({ phone: SHY, name: 'Shy Customer', hidesNumber: true })
  })

  it('never tells the number, until it is revealed', async () => {
    const seen: string[] = []
    world.lose = ({ stanza, deviceId, direction }) => {
      if (deviceId === 1 && direction === 'out') seen.push(JSON.stringify(stanza))
      return false
    }
    const lid = world.lid(SHY)
    const id = await world.sandbox.send(SHY, { to: BUSINESS, text: 'guess who' })
    const received = await companion.untilMessage(({ key }) => key.id === id)
    expect(received.key).toMatchObject({ remoteJid: lid })
    expect(received.key.remoteJidAlt).toBeUndefined()
    await companion.socket.sendMessage(lid, { text: 'no idea' })
    await world.sandbox.waitForMessage(SHY, ({ text }) => text === 'no idea')
    await world.sandbox.send(BUSINESS, { to: SHY, text: 'typed on the phone' })
    await companion.untilMessage(({ message }) => message?.conversation === 'typed on the phone')
    const members = [BUSINESS, SHY]
    const { jid } = world.sandbox.createGroup({ subject: 'Shy people', creator: FRIEND, members })
    await world.sandbox.send(SHY, { to: jid, text: 'hello group' })
    await companion.untilMessage(({ message }) => message?.conversation === 'hello group')
    await companion.socket.groupMetadata(jid)
    await world.sandbox.pushHistory(BUSINESS)
    await companion.untilHeard('messaging-history.set', ({ messages }) => messages.length >= 4)
    expect(seen.filter((stanza) => stanza.includes(SHY))).toEqual([])
    const known = await companion.socket.onWhatsApp(`${SHY}@s.whatsapp.net`)
    expect(known?.some(({ exists }) => exists)).toBe(false)
    await expect(
      world.sandbox.send(SHY, { to: BUSINESS, text: 'by number', addressing: 'pn' }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID' })

    world.sandbox.revealNumber(SHY, BUSINESS)
    expect(await companion.untilHeard('lid-mapping.update')).toEqual({ lid, pn: `${SHY}@s.whatsapp.net` })
    const next = await world.sandbox.send(SHY, { to: BUSINESS, text: 'it is me' })
    const told = await companion.untilMessage(({ key }) => key.id === next)
    expect(told.key.remoteJidAlt).toBe(`${SHY}@s.whatsapp.net`)
  })
})
