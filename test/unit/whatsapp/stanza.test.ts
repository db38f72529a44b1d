import { type BinaryNode, proto, writeRandomPadMax16 } from '@whiskeysockets/baileys'
import { describe, expect, it } from 'vitest'
import { meOf, messageOf, receiptOf } from '../../../src/whatsapp/stanza.ts'

const ME = { pn: '15550009999@s.whatsapp.net', lid: '9999000@lid' } as const
const ANA_PN = '15551230001@s.whatsapp.net'
const ANA_LID = '98765@lid'

function entry(attrs: Record<string, string>, message: proto.IMessage = { conversation: 'hi' }) {
  const plaintext = writeRandomPadMax16(proto.Message.encode(message).finish())
  return {
    attrs: { id: 'A1', t: '1700000000', ...attrs },
    plaintext: Buffer.from(plaintext).toString('base64'),
  }
}

describe('a journaled stanza as a message', () => {
  it('LID-addressed: the chat is the LID, the number its other form, without device', () => {
    const attrs = { from: '98765:3@lid', addressing_mode: 'lid', sender_pn: ANA_PN, notify: 'Ana' }
    expect(messageOf(entry(attrs), ME)).toMatchObject({
      key: { remoteJid: ANA_LID, remoteJidAlt: ANA_PN, id: 'A1', fromMe: false },
      pushName: 'Ana',
      messageTimestamp: 1_700_000_000,
      message: { conversation: 'hi' },
    })
  })

  it('PN-addressed: the other way round', () => {
    const { key } = messageOf(entry({ from: '15551230001:2@s.whatsapp.net', sender_lid: ANA_LID }), ME)
    expect(key).toMatchObject({ remoteJid: ANA_PN, remoteJidAlt: ANA_LID, fromMe: false })
  })

  it('without its other form when the stanza does not tell', () => {
    expect(messageOf(entry({ from: ANA_LID }), ME).key).not.toHaveProperty('remoteJidAlt')
  })

  it.each([
    [{ from: '9999000:0@lid', recipient: ANA_LID, peer_recipient_pn: ANA_PN }, ANA_LID, ANA_PN],
    [{ from: '9999000@lid', recipient: ANA_LID, recipient_pn: ANA_PN }, ANA_LID, ANA_PN],
    [{ from: '15550009999@s.whatsapp.net', recipient: ANA_PN, recipient_lid: ANA_LID }, ANA_PN, ANA_LID],
    [
      { from: '15550009999:7@s.whatsapp.net', recipient: ANA_PN, peer_recipient_lid: ANA_LID },
      ANA_PN,
      ANA_LID,
    ],
  ])('a copy from one of our own devices belongs to the chat of its recipient: %o', (attrs, chat, alt) => {
    const copy = { deviceSentMessage: { destinationJid: chat, message: { conversation: 'from the phone' } } }
    expect(messageOf(entry(attrs, copy), ME)).toMatchObject({
      key: { remoteJid: chat, remoteJidAlt: alt, fromMe: true },
      message: { conversation: 'from the phone' },
    })
  })

  it('in a group: the group is the chat, the participant the author', () => {
    const { key } = messageOf(entry({ from: '1203630@g.us', participant: '98765:1@lid' }), ME)
    expect(key).toMatchObject({ remoteJid: '1203630@g.us', participant: ANA_LID, fromMe: false })
    expect(key).not.toHaveProperty('remoteJidAlt')
    const own = messageOf(entry({ from: '1203630@g.us', participant: '9999000:4@lid' }), ME)
    expect(own.key.fromMe).toBe(true)
  })

  it.each(['', 'soon'])('is from now when its time is %j', (t) => {
    const beforeSeconds = Math.floor(Date.now() / 1_000)
    const { messageTimestamp } = messageOf(entry({ from: ANA_LID, t }), ME)
    expect(messageTimestamp).toBeGreaterThanOrEqual(beforeSeconds)
  })

  it('from what is no chat keeps the address, so that it is ignored by name', () => {
    const { key } = messageOf(entry({ from: 'status@broadcast', participant: ANA_LID }), ME)
    expect(key).toMatchObject({ remoteJid: 'status@broadcast', fromMe: false })
  })

  it('knows us by both our addresses', () => {
    expect(meOf({ me: { id: '15550009999:12@s.whatsapp.net', lid: '9999000:12@lid' } })).toEqual(ME)
    expect(meOf({})).toEqual({ pn: undefined, lid: undefined })
  })
})

describe('a receipt', () => {
  const receipt = (attrs: Record<string, string>, content?: BinaryNode[]): BinaryNode => ({
    tag: 'receipt',
    attrs: { id: 'A1', from: ANA_LID, ...attrs },
    ...(content && { content }),
  })
  const list = (...ids: string[]): BinaryNode[] => [
    { tag: 'list', attrs: {}, content: ids.map((id) => ({ tag: 'item', attrs: { id } })) },
  ]

  it.each([
    [{}, 'delivered'],
    [{ type: 'delivery' }, 'delivered'],
    [{ type: 'read' }, 'read'],
    [{ type: 'played' }, 'read'],
    [{ from: '15551230001:4@s.whatsapp.net' }, 'delivered'],
  ] as const)('%o says %s', (attrs, state) => {
    expect(receiptOf(receipt(attrs), ME)).toEqual({ ids: ['A1'], state })
  })

  it('names every message of its list', () => {
    expect(receiptOf(receipt({ type: 'read' }, list('A2', 'A3')), ME)).toEqual({
      ids: ['A1', 'A2', 'A3'],
      state: 'read',
    })
  })

  it.each([
    ['asks for a retry', { type: 'retry' }],
    ['is about media', { type: 'server-error' }],
    ['says our phone has its copy', { type: 'sender' }],
    ['comes from our phone', { from: '15550009999@s.whatsapp.net' }],
    ['comes from another device of ours', { from: '9999000:2@lid', type: 'read' }],
    ['says we read something elsewhere', { type: 'read-self' }],
    ['comes from nobody we could know', { from: 's.whatsapp.net' }],
  ])('means nothing to the sender when it %s', (_why, attrs: Record<string, string>) => {
    expect(receiptOf(receipt(attrs), ME)).toBeUndefined()
  })

  it('does not take a retry’s children for a list', () => {
    const content: BinaryNode[] = [
      { tag: 'retry', attrs: { id: 'A1', count: '1' } },
      { tag: 'registration', attrs: {} },
    ]
    expect(receiptOf(receipt({ type: 'retry' }, content), ME)).toBeUndefined()
  })
})
