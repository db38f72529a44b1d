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
  /** `text`, a media kind, or the protobuf field's name without "Message", such as `reaction` or `location`. */
  readonly kind: string
  readonly text: string | undefined
  readonly media: MediaPart | undefined
}

export function textMessage(text: string): proto.IMessage {
  return { conversation: text }
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
      return { videoMessage: { ...common, ...caption, ...seconds } }
    case 'audio':
      return { audioMessage: { ...common, ...seconds, ptt: media.voiceNote ?? false } }
    case 'document':
      return { documentMessage: { ...common, ...caption, fileName: media.fileName ?? 'document' } }
    case 'sticker':
      return { stickerMessage: common }
  }
}

/** `type` and `mediatype` of the stanza and its `enc`, derived as the official clients do. */
export function stanzaTypes(message: proto.IMessage): { type: string; mediaType: string | undefined } {
  if (message.reactionMessage) return { type: 'reaction', mediaType: undefined }
  const kind = MEDIA_KINDS.find((candidate) => message[`${candidate}Message`])
  if (kind === undefined) return { type: 'text', mediaType: undefined }
  return { type: 'media', mediaType: message.audioMessage?.ptt ? 'ptt' : kind }
}

function unwrap(message: proto.IMessage): proto.IMessage {
  const inner =
    message.ephemeralMessage?.message ??
    message.viewOnceMessage?.message ??
    message.viewOnceMessageV2?.message ??
    message.documentWithCaptionMessage?.message
  return inner ? unwrap(inner) : message
}

function mediaPart(message: proto.IMessage): MediaPart | undefined {
  for (const kind of MEDIA_KINDS) {
    const found = message[`${kind}Message`]
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

function kindOf(message: proto.IMessage): string {
  if (message.conversation || message.extendedTextMessage) return 'text'
  const field = Object.entries(message).find(([name, value]) => value && !NOT_CONTENT.has(name))?.[0]
  return field?.replace(/Message$/, '') ?? 'empty'
}

export function readMessage(message: proto.IMessage): Reading {
  const plain = unwrap(message)
  const media = mediaPart(plain)
  const captioned = plain.imageMessage ?? plain.videoMessage ?? plain.documentMessage
  // Unset protobuf strings read as '', hence `||`.
  const text =
    plain.conversation || plain.extendedTextMessage?.text || captioned?.caption || plain.reactionMessage?.text
  return { kind: media?.kind ?? kindOf(plain), text: text || undefined, media }
}

/** The message as JSON, bytes as base64, for callers in another process. */
export function messageJson(message: proto.IMessage): Record<string, unknown> {
  return proto.Message.fromObject(message).toJSON()
}
