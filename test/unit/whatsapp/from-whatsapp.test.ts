import { proto, type WAMessage } from '@whiskeysockets/baileys'
import { describe, expect, it } from 'vitest'
import { parseLocationId, parseSessionId } from '../../../src/core/ids.ts'
import type { WaContent } from '../../../src/core/message.ts'
import { CONTAINERS } from '../../../src/whatsapp/containers.ts'
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
  return fromWhatsApp(messageWith(message, key), { receiver: RECEIVER, author: ANA_LID, me: ME })
}

function contentOf(message: proto.IMessage): WaContent {
  const converted = convert(message)
  if ('ignored' in converted) throw new Error(`ignored: ${converted.ignored}`)
  return converted.envelope.content
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
    const circumstances = { receiver: RECEIVER, author: ANA_LID, me: ME, alt: '1@s.whatsapp.net' } as const
    const known = fromWhatsApp(messageWith({ conversation: 'hi' }), circumstances)
    expect(known).toMatchObject({ envelope: { chatAlt: '1@s.whatsapp.net' } })
    const same = convert({ conversation: 'hi' }, { remoteJidAlt: ANA_LID })
    expect('envelope' in same && same.envelope).not.toHaveProperty('chatAlt')
  })

  it.each([
    ['status@broadcast', 'status_broadcast'],
    ['1234@broadcast', 'status_broadcast'],
    ['120363@newsletter', 'newsletter'],
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
  ] as const)('is missing: %s', (_kind, message) => {
    expect(convert(message)).toEqual({ ignored: 'empty' })
  })
})

/** Every field that a WhatsApp message can have, by Baileys' own schema. */
const FIELDS = Object.entries(proto.Message.prototype)
  .filter(([, initial]) => typeof initial !== 'function')
  .map(([name]) => name)

/**
 * What becomes of each kind when it has nothing in it. A release of Baileys that knows a new kind fails here (and before
 * that in the compiler): decide what it says to a reader, then add it.
 */
const OUTCOMES: Readonly<Record<keyof proto.IMessage, string>> = {
  conversation: 'empty',
  senderKeyDistributionMessage: 'protocol',
  imageMessage: 'imageMessage',
  contactMessage: 'contactMessage',
  locationMessage: 'locationMessage',
  extendedTextMessage: 'empty',
  documentMessage: 'documentMessage',
  audioMessage: 'audioMessage',
  videoMessage: 'videoMessage',
  call: 'call',
  chat: 'protocol',
  protocolMessage: 'protocol',
  contactsArrayMessage: 'contactsArrayMessage',
  highlyStructuredMessage: 'highlyStructuredMessage',
  fastRatchetKeySenderKeyDistributionMessage: 'protocol',
  sendPaymentMessage: 'sendPaymentMessage',
  liveLocationMessage: 'liveLocationMessage',
  requestPaymentMessage: 'requestPaymentMessage',
  declinePaymentRequestMessage: 'declinePaymentRequestMessage',
  cancelPaymentRequestMessage: 'cancelPaymentRequestMessage',
  templateMessage: 'templateMessage',
  stickerMessage: 'stickerMessage',
  groupInviteMessage: 'groupInviteMessage',
  templateButtonReplyMessage: 'choice',
  productMessage: 'productMessage',
  deviceSentMessage: 'empty',
  messageContextInfo: 'unknown',
  listMessage: 'listMessage',
  viewOnceMessage: 'viewOnceMessage',
  orderMessage: 'orderMessage',
  listResponseMessage: 'choice',
  ephemeralMessage: 'empty',
  invoiceMessage: 'invoiceMessage',
  buttonsMessage: 'buttonsMessage',
  buttonsResponseMessage: 'choice',
  paymentInviteMessage: 'paymentInviteMessage',
  interactiveMessage: 'interactiveMessage',
  reactionMessage: 'protocol',
  stickerSyncRmrMessage: 'protocol',
  interactiveResponseMessage: 'choice',
  pollCreationMessage: 'pollCreationMessage',
  pollUpdateMessage: 'protocol',
  keepInChatMessage: 'keep_in_chat',
  documentWithCaptionMessage: 'empty',
  requestPhoneNumberMessage: 'requestPhoneNumberMessage',
  viewOnceMessageV2: 'viewOnceMessage',
  encReactionMessage: 'reaction',
  editedMessage: 'empty',
  viewOnceMessageV2Extension: 'viewOnceMessage',
  pollCreationMessageV2: 'pollCreationMessage',
  scheduledCallCreationMessage: 'scheduledCallCreationMessage',
  groupMentionedMessage: 'empty',
  pinInChatMessage: 'pin',
  pollCreationMessageV3: 'pollCreationMessage',
  scheduledCallEditMessage: 'scheduledCallEditMessage',
  ptvMessage: 'videoMessage',
  botInvokeMessage: 'empty',
  callLogMesssage: 'call',
  messageHistoryBundle: 'protocol',
  encCommentMessage: 'encCommentMessage',
  bcallMessage: 'bcallMessage',
  lottieStickerMessage: 'empty',
  eventMessage: 'eventMessage',
  encEventResponseMessage: 'eventResponse',
  commentMessage: 'empty',
  newsletterAdminInviteMessage: 'newsletterAdminInviteMessage',
  placeholderMessage: 'placeholderMessage',
  secretEncryptedMessage: 'edit',
  albumMessage: 'album',
  eventCoverImage: 'empty',
  stickerPackMessage: 'stickerPackMessage',
  statusMentionMessage: 'empty',
  pollResultSnapshotMessage: 'pollResultSnapshotMessage',
  pollCreationOptionImageMessage: 'empty',
  associatedChildMessage: 'empty',
  groupStatusMentionMessage: 'empty',
  pollCreationMessageV4: 'empty',
  statusAddYours: 'empty',
  groupStatusMessage: 'empty',
  richResponseMessage: 'richResponseMessage',
  statusNotificationMessage: 'status_broadcast',
  limitSharingMessage: 'empty',
  botTaskMessage: 'empty',
  questionMessage: 'empty',
  messageHistoryNotice: 'protocol',
  groupStatusMessageV2: 'empty',
  botForwardedMessage: 'empty',
  statusQuestionAnswerMessage: 'empty',
  questionReplyMessage: 'empty',
  questionResponseMessage: 'empty',
  statusQuotedMessage: 'empty',
  statusStickerInteractionMessage: 'statusStickerInteractionMessage',
  pollCreationMessageV5: 'pollCreationMessage',
  newsletterFollowerInviteMessageV2: 'newsletterFollowerInviteMessageV2',
  pollResultSnapshotMessageV3: 'pollResultSnapshotMessage',
}

const outcomeOf = (converted: ReturnType<typeof convert>): string => {
  if ('ignored' in converted) return converted.ignored
  const { content } = converted.envelope
  return content.kind === 'notice' ? content.waKind : content.kind
}

describe('every kind of message there is', () => {
  it('is decided on, none forgotten and none made up', () => {
    expect(FIELDS.toSorted()).toEqual(Object.keys(OUTCOMES).toSorted())
  })

  it.each(Object.entries(OUTCOMES))('%s with nothing in it: %s', (field, outcome) => {
    const message = proto.Message.fromObject({ [field]: field === 'conversation' ? '' : {} })
    expect(outcomeOf(convert(message))).toBe(outcome)
  })

  it.each(CONTAINERS)('%s is unwrapped', (field) => {
    const message = proto.Message.fromObject({ [field]: { message: { conversation: 'inside' } } })
    expect(contentOf(message)).toEqual({ kind: 'text', text: 'inside' })
  })

  it('every field that holds another message is taken for a container', () => {
    const holding = FIELDS.filter((field) => {
      const inner: unknown = proto.Message.fromObject({ [field]: field === 'conversation' ? '' : {} })[
        field as 'chat'
      ]
      const holder =
        typeof inner === 'object' && inner !== null ? (inner.constructor as { toObject?: unknown }) : {}
      return (
        typeof inner === 'object' &&
        inner !== null &&
        'message' in inner &&
        field !== 'orderMessage' &&
        holder.toObject !== undefined
      )
    })
    expect(holding.toSorted()).toEqual([...CONTAINERS].toSorted())
  })

  it('a kind that this Baileys does not know yet is told of, not lost', () => {
    // Field 9999 of Message, a string.
    const later = proto.Message.decode(Buffer.from([0xfa, 0xf0, 0x04, 0x02, 0x68, 0x69]))
    expect(contentOf(later)).toEqual({
      kind: 'notice',
      waKind: 'unknown',
      text: '[Sent something new to the bridge. It can be seen on the phone.]',
    })
  })

  it('containers in containers without end are cut off, not followed', () => {
    const endless: proto.IMessage = {}
    endless.botTaskMessage = { message: endless }
    expect(contentOf(endless)).toMatchObject({ kind: 'notice', waKind: 'unknown' })
  })
})
