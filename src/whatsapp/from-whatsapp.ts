/**
 * A WhatsApp message in our words, or the named reason why it is none of GHL's business. No I/O.
 *
 * The switch in {@link contentOf} is the table of contents: every kind of message that Baileys' schema has, each once, and
 * the compiler refuses a new one that nobody has decided on. Families are in files of their own beside this one.
 */
import type { proto, WAMessage } from '@whiskeysockets/baileys'
import { lines } from '../bridge/sentences.ts'
import { type ChatJid, findChatJid, isGroupJid, type LocationId, type SessionId } from '../core/ids.ts'
import type { Envelope, IgnoreReason } from '../core/message.ts'
import { type Opened, open } from './containers.ts'
import { base64, type Content, ignored, lineOf, notice, positiveOf } from './content.ts'
import * as business from './from-whatsapp-business.ts'
import { fromCall, fromCallLog, fromScheduledCall } from './from-whatsapp-calls.ts'
import { fromContact, fromContacts, fromLiveLocation, fromLocation } from './from-whatsapp-cards.ts'
import { fromFile, fromSticker } from './from-whatsapp-media.ts'
import { fromEvent, fromPoll, fromPollResults, fromVote } from './from-whatsapp-polls.ts'
import { fromProtocol, fromReaction, fromSealed } from './from-whatsapp-protocol.ts'
import { contextOf, fromRichResponse, fromText } from './from-whatsapp-text.ts'
import type { Unsealed } from './message-secret.ts'
import { isMe, isUndecryptable, type Me, phoneOf } from './stanza.ts'
import { placeholderIdOf, waIdOf } from './wa-id.ts'

export interface Receiver {
  readonly locationId: LocationId
  readonly sessionId: SessionId
}

export type Converted = { readonly envelope: Envelope } | { readonly ignored: IgnoreReason }

/** What the message itself does not say. */
export interface Circumstances {
  readonly receiver: Receiver
  /** The author as the journal names him. */
  readonly author: string
  /** This number's own addresses. */
  readonly me: Me
  /** The person's other form (in a group the author's), when somebody knows it better than the message itself. */
  readonly alt?: ChatJid | undefined
  /** What was encrypted apart in it, opened. */
  readonly unsealed?: Unsealed | undefined
  readonly now?: Date
}

/** @param message as Baileys gives it, or as `stanza.ts` makes it of a journal row. */
export function fromWhatsApp(message: WAMessage, circumstances: Circumstances): Converted {
  const { key } = message
  const address = addressOf(key, circumstances.me)
  if ('ignored' in address) return address
  const opened = open(message.message ?? {})
  const content = message.message
    ? contentOf(opened, key, circumstances.unsealed)
    : fromNothing(message, address.id)
  if ('ignored' in content) return content
  return { envelope: envelopeOf(message, { ...circumstances, ...address }, content, opened) }
}

/** The chat that a message belongs to, when it is one that GHL should see. */
export function addressOf(
  key: WAMessage['key'],
  me: Me,
): { readonly chat: ChatJid; readonly id: string } | { readonly ignored: IgnoreReason } {
  const { remoteJid, id } = key
  if (remoteJid?.endsWith('@broadcast')) return { ignored: 'status_broadcast' }
  if (remoteJid?.endsWith('@newsletter')) return { ignored: 'newsletter' }
  const chat = findChatJid(remoteJid)
  if (chat === undefined || typeof id !== 'string' || id === '') return { ignored: 'protocol' }
  // Notes to oneself are talk between the business' own devices.
  if (isMe(me, chat)) return { ignored: 'peer' }
  return { chat, id }
}

function envelopeOf(
  { key, pushName, messageTimestamp }: WAMessage,
  { receiver, author, me, alt, chat, id, now }: Circumstances & { chat: ChatJid; id: string },
  content: Envelope['content'],
  opened: Opened,
): Envelope {
  const isGroup = isGroupJid(chat)
  const chatAlt = isGroup ? undefined : (alt ?? findChatJid(key.remoteJidAlt))
  const authorPhone = isGroup ? phoneOf(author, alt, key.participantAlt) : undefined
  const name = lineOf(pushName)
  const context = contextOf(opened, me, (message) => contentOf(open(message), key, undefined))
  const secret = opened.contexts.find(({ messageSecret }) => messageSecret?.length)?.messageSecret
  const sentAtSeconds = positiveOf(messageTimestamp)
  return {
    ...receiver,
    waMessageId: content.kind === 'placeholder' ? placeholderIdOf(content.of) : waIdOf(id),
    chat,
    ...(chatAlt !== undefined && chatAlt !== chat && { chatAlt }),
    author,
    ...(authorPhone !== undefined && { authorPhone }),
    fromMe: key.fromMe === true,
    ...(name !== undefined && { pushName: name }),
    sentAt: sentAtSeconds === undefined ? (now ?? new Date()) : new Date(sentAtSeconds * 1_000),
    content,
    ...(context !== undefined && { context }),
    ...(secret && { secret: base64(secret) }),
  }
}

/** Only the fact that there is such a message is known, for now or for good. */
function fromNothing(message: WAMessage, id: string): Content {
  if (isUndecryptable(message)) return { kind: 'placeholder', of: waIdOf(id) }
  return message.key.isViewOnce === true
    ? notice('viewOnceMessage', lines.phoneOnly('something that can be seen once'))
    : ignored('empty')
}

/** Edits of edits and payments with notes end somewhere; a malicious one is cut off here. */
const MAX_NESTING = 4

/** @param unsealed what was encrypted apart in this very message; quoted ones have none. */
function contentOf(
  opened: Opened,
  key: WAMessage['key'],
  unsealed: Unsealed | undefined,
  nesting = 0,
): Content {
  const { message, field, isCutOff } = opened
  const recurse = (inner: proto.IMessage): Content =>
    nesting === MAX_NESTING
      ? notice('unknown', lines.unknown(field))
      : contentOf(open(inner), key, undefined, nesting + 1)
  switch (field) {
    case undefined:
      // Baileys decodes what it knows; a kind that WhatsApp has added since leaves nothing, or its context alone.
      return notice('unknown', lines.unknown(undefined))

    case 'conversation':
    case 'extendedTextMessage':
    case 'statusQuotedMessage':
    case 'questionResponseMessage':
    case 'statusQuestionAnswerMessage':
      return fromText(message)
    case 'richResponseMessage':
      return fromRichResponse(message.richResponseMessage)

    case 'imageMessage':
    case 'videoMessage':
    case 'ptvMessage':
    case 'audioMessage':
    case 'documentMessage':
      return fromFile(field, opened, key)
    case 'stickerMessage':
      return fromSticker(opened, key)
    case 'stickerPackMessage':
      return notice(field, lines.other(named('a pack of stickers', message.stickerPackMessage?.name)))
    case 'albumMessage':
      return ignored('album')

    case 'locationMessage':
      return fromLocation(message.locationMessage)
    case 'liveLocationMessage':
      return fromLiveLocation(message.liveLocationMessage)
    case 'contactMessage':
      return fromContact(message.contactMessage)
    case 'contactsArrayMessage':
      return fromContacts(message.contactsArrayMessage)

    case 'pollCreationMessage':
    case 'pollCreationMessageV2':
    case 'pollCreationMessageV3':
    case 'pollCreationMessageV5':
      return fromPoll(message[field])
    case 'pollUpdateMessage':
      return fromVote(message.pollUpdateMessage, unsealed)
    case 'pollResultSnapshotMessage':
    case 'pollResultSnapshotMessageV3':
      return fromPollResults(message[field])
    case 'eventMessage':
      return fromEvent(message.eventMessage)

    case 'reactionMessage':
      return fromReaction(message.reactionMessage)
    case 'protocolMessage':
      return fromProtocol(message.protocolMessage, recurse)
    case 'encReactionMessage':
    case 'encEventResponseMessage':
    case 'secretEncryptedMessage':
    case 'encCommentMessage':
      return fromSealed(field, message, unsealed, recurse)

    case 'buttonsMessage':
    case 'listMessage':
    case 'templateMessage':
    case 'interactiveMessage':
    case 'highlyStructuredMessage':
      return business.fromMenu(message, key)
    case 'buttonsResponseMessage':
    case 'listResponseMessage':
    case 'templateButtonReplyMessage':
    case 'interactiveResponseMessage':
      return business.fromChoice(message)
    case 'productMessage':
      return business.fromProduct(message.productMessage, key)
    case 'orderMessage':
      return business.fromOrder(message.orderMessage)
    case 'invoiceMessage':
    case 'sendPaymentMessage':
    case 'requestPaymentMessage':
    case 'declinePaymentRequestMessage':
    case 'cancelPaymentRequestMessage':
    case 'paymentInviteMessage':
      return business.fromPayment(field, message, recurse)

    case 'groupInviteMessage':
    case 'newsletterAdminInviteMessage':
    case 'newsletterFollowerInviteMessageV2':
      return business.fromInvite(field, message)
    case 'requestPhoneNumberMessage':
      return notice(field, lines.did('Asks for your phone number.'))
    case 'placeholderMessage':
      return notice(field, lines.phoneOnly('a message'))
    case 'statusStickerInteractionMessage':
      return notice(field, lines.did('Reacted to your status with a sticker.'))

    case 'call':
      return fromCall()
    case 'callLogMesssage':
      return fromCallLog(message.callLogMesssage)
    case 'scheduledCallCreationMessage':
    case 'scheduledCallEditMessage':
    case 'bcallMessage':
      return fromScheduledCall(field, message)

    case 'pinInChatMessage':
      return ignored('pin')
    case 'keepInChatMessage':
      return ignored('keep_in_chat')
    case 'statusNotificationMessage':
      return ignored('status_broadcast')
    case 'chat':
    case 'messageContextInfo':
    case 'senderKeyDistributionMessage':
    case 'fastRatchetKeySenderKeyDistributionMessage':
    case 'stickerSyncRmrMessage':
    case 'messageHistoryBundle':
    case 'messageHistoryNotice':
      return ignored('protocol')

    case 'viewOnceMessage':
    case 'viewOnceMessageV2':
    case 'viewOnceMessageV2Extension':
      return notice('viewOnceMessage', lines.phoneOnly('something that can be seen once'))
    case 'deviceSentMessage':
    case 'ephemeralMessage':
    case 'documentWithCaptionMessage':
    case 'editedMessage':
    case 'groupMentionedMessage':
    case 'botInvokeMessage':
    case 'lottieStickerMessage':
    case 'eventCoverImage':
    case 'statusMentionMessage':
    case 'pollCreationOptionImageMessage':
    case 'associatedChildMessage':
    case 'groupStatusMentionMessage':
    case 'pollCreationMessageV4':
    case 'statusAddYours':
    case 'groupStatusMessage':
    case 'groupStatusMessageV2':
    case 'limitSharingMessage':
    case 'botTaskMessage':
    case 'questionMessage':
    case 'botForwardedMessage':
    case 'questionReplyMessage':
    case 'commentMessage':
      return isCutOff ? notice('unknown', lines.unknown(field)) : ignored('empty')
    default:
      // Not from the wire; but what is stored elsewhere may name kinds of a later Baileys.
      return notice('unknown', lines.unknown(String(field satisfies never)))
  }
}

const named = (what: string, name: string | null | undefined): string => {
  const line = lineOf(name)
  return line === undefined ? what : `${what} (${line})`
}
