// What a message says: from the sender's wish to WhatsApp's protobuf, and from the protobuf to what a test reads.
import { proto } from '@whiskeysockets/baileys'
import { MEDIA_KINDS, type MediaKind, type MediaReference } from './media-crypto.ts'

export interface OutgoingMedia {
  readonly kind: MediaKind
  readonly bytes: Uint8Array
  readonly mimetype: string
  readonly caption?: string
  readonly fileName?: string
  readonly seconds?: number
  /** Audio only: recorded in the chat, not attached. */
  readonly voiceNote?: boolean
  /** Video only: plays like a GIF. */
  readonly gif?: boolean
  /** Video only: the round kind, recorded in the chat. */
  readonly videoNote?: boolean
}

interface UploadedMedia extends MediaReference {
  readonly url: string
  readonly directPath: string
}

/** Media as it stands in a message, before download. */
interface MediaPart extends MediaReference {
  readonly kind: MediaKind
  readonly directPath: string
  readonly mimetype: string
  readonly fileName: string | undefined
}

interface Reading {
  /**
   * `text`, a media kind, `edit`, `revoke`, `poll`, `vote`, `eventReply`, or the protobuf field's name without
   * "Message", such as `reaction` or `location`.
   */
  readonly kind: string
  readonly text: string | undefined
  readonly media: MediaPart | undefined
  readonly quotedId: string | undefined
  readonly targetId: string | undefined
  readonly voiceNote: boolean
}

export function mediaMessage(media: OutgoingMedia, uploaded: UploadedMedia): proto.IMessage {
  const common = {
    url: uploaded.url,
    directPath: uploaded.directPath,
    mediaKey: uploaded.mediaKey,
    mediaKeyTimestamp: Math.floor(Date.now() / 1000),
    fileSha256: uploaded.fileSha256,
    fileEncSha256: uploaded.fileEncSha256,
    fileLength: media.bytes.length,
    mimetype: media.mimetype,
  }
  const caption = media.caption === undefined ? {} : { caption: media.caption }
  const seconds = media.seconds === undefined ? {} : { seconds: media.seconds }
  switch (media.kind) {
    case 'image':
      return { imageMessage: { ...common, ...caption } }
    case 'video':
      if (media.videoNote) return { ptvMessage: { ...common, ...seconds } }
      return { videoMessage: { ...common, ...caption, ...seconds, gifPlayback: media.gif ?? false } }
    case 'audio':
      return { audioMessage: { ...common, ...seconds, ptt: media.voiceNote ?? false } }
    case 'document':
      return { documentMessage: { ...common, ...caption, fileName: media.fileName ?? 'document' } }
    case 'sticker':
      return { stickerMessage: common }
  }
}

/** What the envelope tells the server, derived as the official clients do. */
export interface StanzaTypes {
  readonly type: string
  readonly mediaType: string | undefined
  /** `edit` of the stanza: 1 edits, 7 deletes an own message for all. */
  readonly edit: string | undefined
}

export function stanzaTypes(message: proto.IMessage): StanzaTypes {
  const plain = unwrap(message)
  const { kind } = readMessage(plain)
  const edit = kind === 'edit' ? '1' : kind === 'revoke' ? '7' : undefined
  const mediaType = mediaTypeOf(plain)
  if (mediaType !== undefined) return { type: 'media', mediaType, edit }
  const type =
    kind === 'reaction' || kind === 'event' ? kind : kind === 'poll' || kind === 'vote' ? 'poll' : 'text'
  return { type, mediaType, edit }
}

const OTHER_MEDIA_TYPES = {
  contactMessage: 'vcard',
  contactsArrayMessage: 'contact_array',
  liveLocationMessage: 'livelocation',
  locationMessage: 'location',
  ptvMessage: 'ptv',
} as const

function mediaTypeOf(message: proto.IMessage): string | undefined {
  if (message.audioMessage?.ptt) return 'ptt'
  if (message.videoMessage?.gifPlayback) return 'gif'
  const kind = MEDIA_KINDS.find((candidate) => message[`${candidate}Message`])
  if (kind) return kind
  for (const [field, mediaType] of Object.entries(OTHER_MEDIA_TYPES)) if (field in message) return mediaType
  return undefined
}

/** The content inside its containers, and the secret and association that stand beside it. */
function unwrap(message: proto.IMessage): proto.IMessage {
  const inner =
    message.ephemeralMessage?.message ??
    message.viewOnceMessage?.message ??
    message.viewOnceMessageV2?.message ??
    message.viewOnceMessageV2Extension?.message ??
    message.documentWithCaptionMessage?.message ??
    message.editedMessage?.message
  return inner ? unwrap(inner) : message
}

/** What a quote shows of a message: its content without wrappers and, unless asked for, without its secret. */
export function quotable(message: proto.IMessage, withSecret = false): proto.IMessage {
  const { messageContextInfo, senderKeyDistributionMessage: _key, ...content } = unwrap(message)
  return withSecret && messageContextInfo ? { ...content, messageContextInfo } : content
}

/** Adds what a message answers, or how long it lives. Text becomes the kind of text that can say so. */
export function withContext(message: proto.IMessage, added: proto.IContextInfo): proto.IMessage {
  const { conversation, ...rest } = message
  const upgraded: proto.IMessage = conversation
    ? { ...rest, extendedTextMessage: { text: conversation } }
    : message
  const name = contentField(upgraded)
  if (!name) return upgraded
  // Contents are objects, and those that can be quoted or fade have a contextInfo.
  const content = upgraded[name] as { contextInfo?: proto.IContextInfo }
  return { ...upgraded, [name]: { ...content, contextInfo: { ...content.contextInfo, ...added } } }
}

function mediaPart(message: proto.IMessage): MediaPart | undefined {
  for (const kind of MEDIA_KINDS) {
    const found = message[`${kind}Message`] ?? (kind === 'video' ? message.ptvMessage : undefined)
    if (!found?.mediaKey || !found.directPath || !found.fileSha256 || !found.fileEncSha256) continue
    return {
      kind,
      mediaKey: found.mediaKey,
      fileSha256: found.fileSha256,
      fileEncSha256: found.fileEncSha256,
      directPath: found.directPath,
      mimetype: found.mimetype ?? 'application/octet-stream',
      fileName: message.documentMessage?.fileName ?? undefined,
    }
  }
  return undefined
}

const NOT_CONTENT = new Set(['messageContextInfo', 'senderKeyDistributionMessage'])

function contentField(message: proto.IMessage): keyof proto.IMessage | undefined {
  const field = Object.entries(message).find(([name, value]) => value && !NOT_CONTENT.has(name))?.[0]
  // A name out of the message's own entries.
  return field as keyof proto.IMessage | undefined
}

const { Type: ProtocolType } = proto.Message.ProtocolMessage
const PROTOCOL_KINDS = new Map<unknown, string>([
  [ProtocolType.MESSAGE_EDIT, 'edit'],
  [ProtocolType.REVOKE, 'revoke'],
  [ProtocolType.EPHEMERAL_SETTING, 'ephemeralSetting'],
])

function kindOf(message: proto.IMessage): string {
  if (message.conversation || message.extendedTextMessage) return 'text'
  if (message.protocolMessage) return PROTOCOL_KINDS.get(message.protocolMessage.type) ?? 'protocol'
  if (message.pollUpdateMessage) return 'vote'
  if (message.encEventResponseMessage) return 'eventReply'
  const field = contentField(message)
  if (field?.startsWith('pollCreation')) return 'poll'
  return field?.replace(/Message$/, '') ?? 'empty'
}

function textOf(message: proto.IMessage): string | undefined {
  const captioned = message.imageMessage ?? message.videoMessage ?? message.documentMessage
  const poll = message.pollCreationMessage ?? message.pollCreationMessageV2 ?? message.pollCreationMessageV3
  const edited = message.protocolMessage?.editedMessage
  // Unset protobuf strings read as '', hence `||`.
  const text =
    message.conversation ||
    message.extendedTextMessage?.text ||
    captioned?.caption ||
    message.reactionMessage?.text ||
    poll?.name ||
    message.eventMessage?.name ||
    message.locationMessage?.name ||
    message.liveLocationMessage?.caption ||
    message.contactMessage?.displayName ||
    (edited ? textOf(unwrap(edited)) : undefined)
  return text || undefined
}

/** Id of the message that this one is about: edits, deletes, reactions, votes, answers to events. */
function targetOf(message: proto.IMessage): string | undefined {
  const key =
    message.protocolMessage?.key ??
    message.reactionMessage?.key ??
    message.pollUpdateMessage?.pollCreationMessageKey ??
    message.encEventResponseMessage?.eventCreationMessageKey
  return key?.id || undefined
}

function quotedOf(message: proto.IMessage): string | undefined {
  const field = contentField(message)
  const content = field && message[field]
  if (typeof content !== 'object' || content === null || !('contextInfo' in content)) return undefined
  return content.contextInfo?.stanzaId || undefined
}

export function readMessage(message: proto.IMessage): Reading {
  const plain = unwrap(message)
  const media = mediaPart(plain)
  return {
    kind: media?.kind ?? kindOf(plain),
    text: textOf(plain),
    media,
    quotedId: quotedOf(plain),
    targetId: targetOf(plain),
    voiceNote: plain.audioMessage?.ptt ?? false,
  }
}

/** The message as JSON, bytes as base64, for callers in another process. */
export function messageJson(message: proto.IMessage): Record<string, unknown> {
  return proto.Message.fromObject(message).toJSON()
}
