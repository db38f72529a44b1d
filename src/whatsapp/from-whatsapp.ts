/**
 * A WhatsApp message in our words, or the named reason why it is none of GHL's business. No I/O.
 */
import { proto, toNumber, type WAMessage } from '@whiskeysockets/baileys'
import {
  type ChatJid,
  findChatJid,
  isGroupJid,
  type LocationId,
  parseWaMessageId,
  type SessionId,
} from '../core/ids.ts'
import type { Envelope, IgnoreReason, MediaKind, WaContent, WaMedia } from '../core/message.ts'
import type { MessageMedia } from './media.ts'
import { isMe, type Me } from './stanza.ts'

export interface Receiver {
  readonly locationId: LocationId
  readonly sessionId: SessionId
}

export type Converted = { readonly envelope: Envelope } | { readonly ignored: IgnoreReason }

/**
 * @param author the author as the journal names him.
 * @param me this number's own addresses.
 * @param alt the chat's other form when somebody knows it better than the message itself.
 */
export function fromWhatsApp(
  receiver: Receiver,
  message: WAMessage,
  author: string,
  me: Me,
  alt?: ChatJid,
): Converted {
  const { key } = message
  const ignored = ignoredChat(key.remoteJid ?? '')
  if (ignored !== undefined) return { ignored }
  const chat = findChatJid(key.remoteJid)
  if (chat === undefined || typeof key.id !== 'string') return { ignored: 'protocol' }
  if (isGroupJid(chat)) return { ignored: 'group' }
  // Notes to oneself are talk between the business' own devices.
  if (isMe(me, chat)) return { ignored: 'peer' }
  const content = contentOf(message)
  if ('ignored' in content) return content
  const chatAlt = alt ?? findChatJid(key.remoteJidAlt)
  return {
    envelope: {
      ...receiver,
      waMessageId: parseWaMessageId(key.id),
      chat,
      ...(chatAlt !== undefined && chatAlt !== chat && { chatAlt }),
      author,
      fromMe: key.fromMe === true,
      ...(typeof message.pushName === 'string' && message.pushName !== '' && { pushName: message.pushName }),
      sentAt: new Date(toNumber(message.messageTimestamp) * 1_000),
      content,
    },
  }
}

function ignoredChat(jid: string): IgnoreReason | undefined {
  if (jid.endsWith('@broadcast')) return 'status_broadcast'
  return jid.endsWith('@newsletter') ? 'newsletter' : undefined
}

type Content = WaContent | { readonly ignored: IgnoreReason }

const text = (value: string | null | undefined): Content =>
  value === null || value === undefined || value === '' ? { ignored: 'empty' } : { kind: 'text', text: value }

const notice = (waKind: string, sentence: string): Content => ({ kind: 'notice', waKind, text: sentence })

/** Kinds that carry nothing for a reader. */
const NOISE: ReadonlySet<string> = new Set([
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'messageContextInfo',
  'deviceSentMessage',
  'stickerSyncRmrMessage',
  'keepInChatMessage',
  'pinInChatMessage',
  'encReactionMessage',
  'encCommentMessage',
  'secretEncryptedMessage',
])

/** One sentence per kind that has no better form yet. The name of an unknown kind is shown, so that nothing is hidden. */
const SENTENCES: Readonly<Record<string, string>> = {
  locationMessage: 'a location',
  liveLocationMessage: 'a live location',
  contactMessage: 'a contact card',
  contactsArrayMessage: 'several contact cards',
  reactionMessage: 'a reaction',
  pollCreationMessage: 'a poll',
  pollCreationMessageV2: 'a poll',
  pollCreationMessageV3: 'a poll',
  pollUpdateMessage: 'a vote in a poll',
  buttonsResponseMessage: 'a choice from buttons',
  listResponseMessage: 'a choice from a list',
  templateButtonReplyMessage: 'a choice from buttons',
  productMessage: 'a product',
  orderMessage: 'an order',
  eventMessage: 'an event',
  groupInviteMessage: 'an invitation to a group',
  albumMessage: 'an album; its pictures follow',
}

/** Containers in containers end somewhere; a malicious one is cut off here. */
const MAX_DEPTH = 8

/** The field that says what a message is, with what is in it. */
function kindOf(message: proto.IMessage): [name: string, value: unknown] | undefined {
  return Object.entries(message).find(([name, value]) => !isNothing(value) && !NOISE.has(name))
}

/** The message in its containers; `undefined` when the innermost is empty. Baileys' own way ends in null there. */
function unwrapped(message: proto.IMessage | null | undefined, depth = 0): proto.IMessage | undefined {
  if (message === null || message === undefined || depth === MAX_DEPTH) return message ?? undefined
  const container = message.deviceSentMessage ?? kindOf(message)?.[1]
  // Every container, also one that WhatsApp has yet to invent, has one field of this name and nothing else to show.
  if (typeof container !== 'object' || container === null || !('message' in container)) return message
  return unwrapped(container.message as proto.IMessage | null, depth + 1) // by the schema
}

const isNothing = (value: unknown): boolean => value === null || value === undefined

function contentOf({ key, message }: WAMessage): Content {
  const content = fromContent(message)
  if ('kind' in content && content.kind === 'media') {
    const { remoteJid, id, fromMe } = key
    const named: MessageMedia = {
      ...content.media,
      message: { chat: remoteJid ?? '', id: id ?? '', fromMe: fromMe === true },
    }
    return { ...content, media: named }
  }
  // Linked devices are only told that there is such a message.
  if (key.isViewOnce === true && !message)
    return notice('viewOnceMessage', '[Sent something that can be seen once, and only on the phone.]')
  return content
}

function fromContent(wrapped: proto.IMessage | null | undefined): Content {
  const message = unwrapped(wrapped)
  if (message === undefined) return { ignored: 'empty' }
  const { protocolMessage } = message
  if (protocolMessage) return fromProtocol(protocolMessage)
  const kind = kindOf(message)?.[0]
  switch (kind) {
    case undefined:
      return { ignored: 'protocol' }
    case 'conversation':
      return text(message.conversation)
    case 'extendedTextMessage':
      return text(message.extendedTextMessage?.text)
    case 'imageMessage':
      return media('image', message.imageMessage)
    case 'videoMessage':
      return media('video', message.videoMessage)
    case 'ptvMessage':
      return media('video', message.ptvMessage)
    case 'audioMessage':
      return media('audio', message.audioMessage)
    case 'documentMessage':
      return media('document', message.documentMessage)
    case 'stickerMessage':
      return media('sticker', message.stickerMessage)
    default:
      return notice(
        kind,
        `[Sent ${SENTENCES[kind] ?? `something the bridge does not know (${kind})`}. It can be seen on the phone.]`,
      )
  }
}

function fromProtocol(protocol: proto.Message.IProtocolMessage): Content {
  const { Type } = proto.Message.ProtocolMessage
  if (protocol.type === Type.REVOKE) return notice('revoke', '[Deleted a message.]')
  if (protocol.type !== Type.MESSAGE_EDIT) return { ignored: 'protocol' }
  const edited = fromContent(protocol.editedMessage)
  const isText = 'kind' in edited && edited.kind === 'text'
  return notice('edit', isText ? `[Edited:] ${edited.text}` : '[Edited a message.]')
}

const A_FILE: Readonly<Record<MediaKind, string>> = {
  image: 'an image',
  video: 'a video',
  audio: 'an audio message',
  document: 'a document',
  sticker: 'a sticker',
}

interface WaFile {
  readonly mimetype?: string | null
  readonly url?: string | null
  readonly directPath?: string | null
  readonly mediaKey?: Uint8Array | null
  readonly fileSha256?: Uint8Array | null
  readonly fileEncSha256?: Uint8Array | null
  readonly fileLength?: Parameters<typeof toNumber>[0] | null
  readonly fileName?: string | null
  readonly caption?: string | null
}

function media(mediaKind: MediaKind, file: WaFile | null | undefined): Content {
  // View-once media arrives without its key on linked devices.
  if (!file?.mediaKey?.length)
    return notice(`${mediaKind}Message`, `[Sent ${A_FILE[mediaKind]} that can only be opened on the phone.]`)
  const sizeBytes = toNumber(file.fileLength ?? 0)
  const reference: WaMedia = {
    mediaKind,
    mimeType: file.mimetype ?? 'application/octet-stream',
    mediaKey: base64(file.mediaKey),
    ...(sizeBytes > 0 && { sizeBytes }),
    ...(file.fileName && { fileName: file.fileName }),
    ...(file.url && { url: file.url }),
    ...(file.directPath && { directPath: file.directPath }),
    ...(file.fileSha256?.length && { sha256: base64(file.fileSha256) }),
    ...(file.fileEncSha256?.length && { encryptedSha256: base64(file.fileEncSha256) }),
  }
  return { kind: 'media', media: reference, ...(file.caption && { caption: file.caption }) }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
