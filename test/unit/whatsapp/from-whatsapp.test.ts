import { proto, type WAMessage } from '@whiskeysockets/baileys'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLocationId, parseSessionId } from '../../../src/core/ids.ts'
import type { WaContent } from '../../../src/core/message.ts'
import { fromWhatsApp } from '../../../src/whatsapp/from-whatsapp.ts'

const RECEIVER = { locationId: parseLocationId('loc1'), sessionId: parseSessionId('s1') }
const ANA_LID = '98765@lid'
const ANA_PN = '15551230001@s.whatsapp.net'
const ME = { pn: '15550009999@s.whatsapp.net', lid: '90000@lid' } as const

const messageWith = (message: proto.IMessage | null, key: Partial<WAMessage['key']> = {}): WAMessage => ({
  key: { remoteJid: ANA_LID, remoteJidAlt: ANA_PN, id: 'A1', fromMe: false, ...key },
  message,
  messageTimestamp: 1_700_000_000,
  pushName: 'Ana',
})

function convert(message: proto.IMessage | null, key?: Partial<WAMessage['key']>) {
  return fromWhatsApp(RECEIVER, messageWith(message, key), ANA_LID, ME)
}

function contentOf(message: proto.IMessage): WaContent {
  const converted = convert(message)
  if ('ignored' in converted) throw new Error(`ignored: ${converted.ignored}`)
  return converted.envelope.content
}

const FILE = {
  mimetype: 'image/jpeg',
  url: 'https://mmg.whatsapp.net/v/1',
  directPath: '/v/1',
  mediaKey: Buffer.alloc(32, 1),
  fileSha256: Buffer.alloc(32, 2),
  fileEncSha256: Buffer.alloc(32, 3),
  fileLength: 1234,
}

describe('the envelope', () => {
  it('says where, from whom and when', () => {
    expect(convert({ conversation: 'hi' })).toEqual({
      envelope: {
        ...RECEIVER,
        waMessageId: 'A1',
        chat: ANA_LID,
        chatAlt: ANA_PN,
        author: ANA_LID,
        fromMe: false,
        pushName: 'Ana',
        sentAt: new Date(1_700_000_000_000),
        content: { kind: 'text', text: 'hi' },
      },
    })
  })

  it('prefers what somebody knows about the other form, and leaves out what says nothing', () => {
    const known = fromWhatsApp(RECEIVER, messageWith({ conversation: 'hi' }), ANA_LID, ME, '1@s.whatsapp.net')
    expect(known).toMatchObject({ envelope: { chatAlt: '1@s.whatsapp.net' } })
    const same = convert({ conversation: 'hi' }, { remoteJidAlt: ANA_LID })
    expect('envelope' in same && same.envelope).not.toHaveProperty('chatAlt')
  })

  it.each([
    ['status@broadcast', 'status_broadcast'],
    ['1234@broadcast', 'status_broadcast'],
    ['120363@newsletter', 'newsletter'],
    ['120363@g.us', 'group'],
    ['', 'protocol'],
    ['867@bot', 'protocol'],
  ])('is none for what comes from %s: %s', (remoteJid, ignored) => {
    expect(convert({ conversation: 'hi' }, { remoteJid })).toEqual({ ignored })
  })
})

describe('text', () => {
  it.each([
    ['conversation', { conversation: 'hello' }],
    ['extendedTextMessage', { extendedTextMessage: { text: 'hello', contextInfo: {} } }],
    ['ephemeralMessage', { ephemeralMessage: { message: { conversation: 'hello' } } }],
    ['viewOnceMessage', { viewOnceMessage: { message: { conversation: 'hello' } } }],
    ['viewOnceMessageV2', { viewOnceMessageV2: { message: { conversation: 'hello' } } }],
    [
      'nested containers',
      {
        ephemeralMessage: {
          message: { viewOnceMessage: { message: { extendedTextMessage: { text: 'hello' } } } },
        },
      },
    ],
    [
      'deviceSentMessage',
      { deviceSentMessage: { destinationJid: ANA_LID, message: { conversation: 'hello' } } },
    ],
    ['a container that nobody has heard of', { botTaskMessage: { message: { conversation: 'hello' } } }],
    ['beside key distribution', { senderKeyDistributionMessage: { groupId: 'g' }, conversation: 'hello' }],
    ['beside context', { messageContextInfo: { deviceListMetadataVersion: 2 }, conversation: 'hello' }],
  ])('in %s is read', (_kind, message: proto.IMessage) => {
    expect(contentOf(message)).toEqual({ kind: 'text', text: 'hello' })
  })

  it.each([
    ['nothing at all', null],
    ['an empty text', { conversation: '' }],
    ['an extended text without text', { extendedTextMessage: {} }],
    ['a container with nothing', proto.Message.fromObject({ ephemeralMessage: {} })],
    ['an empty text in a container', { ephemeralMessage: { message: { conversation: '' } } }],
  ])('is missing: %s', (_kind, message) => {
    expect(convert(message)).toEqual({ ignored: 'empty' })
  })
})

describe('media', () => {
  it.each([
    ['imageMessage', 'image'],
    ['videoMessage', 'video'],
    ['ptvMessage', 'video'],
    ['audioMessage', 'audio'],
    ['documentMessage', 'document'],
    ['stickerMessage', 'sticker'],
  ])('%s is a %s, with a reference that survives JSON', (kind, mediaKind) => {
    const content = contentOf({ [kind]: { ...FILE, caption: 'look' } })
    expect(JSON.parse(JSON.stringify(content))).toEqual(content)
    expect(content).toMatchObject({
      kind: 'media',
      media: {
        mediaKind,
        mimeType: 'image/jpeg',
        url: FILE.url,
        directPath: FILE.directPath,
        sizeBytes: 1234,
        mediaKey: FILE.mediaKey.toString('base64'),
        sha256: FILE.fileSha256.toString('base64'),
        encryptedSha256: FILE.fileEncSha256.toString('base64'),
      },
    })
  })

  it('keeps caption and file name of a document with caption', () => {
    const document = { documentMessage: { ...FILE, fileName: 'plan.pdf', caption: 'the plan' } }
    expect(contentOf({ documentWithCaptionMessage: { message: document } })).toMatchObject({
      caption: 'the plan',
      media: { mediaKind: 'document', fileName: 'plan.pdf' },
    })
  })

  it('is found in a container of its own', () => {
    expect(contentOf({ lottieStickerMessage: { message: { stickerMessage: FILE } } })).toMatchObject({
      media: { mediaKind: 'sticker' },
    })
  })

  it('has no caption where there is none', () => {
    expect(contentOf({ imageMessage: FILE })).not.toHaveProperty('caption')
  })

  it('without a key, as view-once media comes to linked devices, becomes a sentence', () => {
    const content = contentOf({
      viewOnceMessageV2: { message: { imageMessage: { mimetype: 'image/jpeg' } } },
    })
    expect(content).toEqual({
      kind: 'notice',
      waKind: 'imageMessage',
      text: '[Sent an image that can only be opened on the phone.]',
    })
  })
})

describe('what is about another message', () => {
  const { Type } = proto.Message.ProtocolMessage

  it('a deletion is told', () => {
    expect(contentOf({ protocolMessage: { type: Type.REVOKE, key: { id: 'A0' } } })).toMatchObject({
      kind: 'notice',
      waKind: 'revoke',
    })
  })

  it('an edit shows the new text', () => {
    const edit = { type: Type.MESSAGE_EDIT, editedMessage: { conversation: 'new words' } }
    expect(contentOf({ protocolMessage: edit })).toEqual({
      kind: 'notice',
      waKind: 'edit',
      text: '[Edited:] new words',
    })
    // Live, it comes in a container.
    expect(contentOf({ editedMessage: { message: { protocolMessage: edit } } })).toMatchObject({
      waKind: 'edit',
    })
  })

  it.each(Object.entries(Type).filter(([name]) => name !== 'REVOKE' && name !== 'MESSAGE_EDIT'))(
    '%s is protocol',
    (_name, type) => {
      expect(convert({ protocolMessage: { type: type as proto.Message.ProtocolMessage.Type } })).toEqual({
        ignored: 'protocol',
      })
    },
  )
})

/** Every field that a WhatsApp message can have, by Baileys' own schema. */
const FIELDS = Object.entries(proto.Message.prototype)
  .filter(([, initial]) => typeof initial !== 'function')
  .map(([name]) => name)

describe('containers', () => {
  it('in containers without end are cut off, not followed', () => {
    const endless: proto.IMessage = {}
    endless.botTaskMessage = { message: endless }
    expect(convert(endless)).toMatchObject({
      envelope: { content: { kind: 'notice', waKind: 'botTaskMessage' } },
    })
  })
})

/** A value that the schema accepts for the field. */
const anyValueOf = (field: string): unknown => (field === 'conversation' ? 'words' : {})

const isReadable = (converted: ReturnType<typeof convert>): boolean =>
  'ignored' in converted ||
  converted.envelope.content.kind !== 'notice' ||
  /^\[.+\]/.test(converted.envelope.content.text)

describe('every kind of message there is', () => {
  it('is a good hundred kinds', () => {
    expect(FIELDS.length).toBeGreaterThan(80)
    expect(FIELDS).toContain('imageMessage')
  })

  it.each(FIELDS)('%s becomes content, a sentence, or is ignored by name', (field) => {
    const message = proto.Message.fromObject({ [field]: anyValueOf(field) })
    const converted = convert(message)
    expect(isReadable(converted)).toBe(true)
    // What a customer sends on purpose is never silently nothing.
    if ('ignored' in converted) expect(['protocol', 'empty']).toContain(converted.ignored)
  })

  it('does not throw for any message that the wire can carry', () => {
    const field = fc.constantFrom(...FIELDS)
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.uint8Array())
    const object = fc.dictionary(
      fc.oneof(field, fc.constantFrom('text', 'caption', 'mediaKey', 'message', 'type')),
      leaf,
    )
    const anything = fc.letrec<{ message: Record<string, unknown> }>((tie) => ({
      message: fc.dictionary(field, fc.oneof(leaf, object, fc.record({ message: tie('message') })), {
        maxKeys: 4,
      }),
    })).message
    fc.assert(
      fc.property(anything, (message) => {
        expect(isReadable(convert(message as proto.IMessage))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('does not throw for any bytes that decode to a message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        let message: proto.Message
        try {
          message = proto.Message.decode(bytes)
        } catch {
          return
        }
        expect(isReadable(convert(message))).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })
})
